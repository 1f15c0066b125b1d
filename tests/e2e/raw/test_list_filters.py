"""Lists and counts answer as the reference does: the same runs, or the same refusal.

What the reference answers is kept beside the queries. To record it again, run this file on the
reference with LONGTIDE_E2E_RECORD=1.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, WorkflowExecutionStatus

from cases.list_filters import BETTER, CONDITIONS, GROUPS
from harness.raw import Raw, complete_workflow, payload, refusal_of
from harness.server import Server
from harness.waiting import wait_for_sync

RECORDED = Path(__file__).parent / "cases" / "list_filters.json"
RECORDING = bool(os.environ.get("LONGTIDE_E2E_RECORD"))
PAGE_SIZE = 4

FIELDS = {
    "keyword": "CustomKeywordField",
    "text": "CustomTextField",
    "int": "CustomIntField",
    "double": "CustomDoubleField",
    "bool": "CustomBoolField",
    "datetime": "CustomDatetimeField",
    "list": "CustomListField",
}

RUNS = [
    dict(
        id="order-1",
        queue="fast",
        ends="Completed",
        keyword="red",
        int=5,
        double=1.5,
        bool=True,
        datetime="2026-01-01T00:00:00Z",
        text="The quick brown fox",
        list=["a", "b"],
    ),
    dict(
        id="order-2",
        queue="fast",
        ends="Failed",
        keyword="Red",
        int=-3,
        double=-2.25,
        bool=False,
        datetime="2026-01-02T12:30:00.5Z",
        text="lazy dog; QUICK!",
        list=["b", "c"],
    ),
    dict(
        id="order-3",
        queue="slow",
        ends="Terminated",
        keyword="blue sky",
        int=0,
        double=0,
        text="Élan vital; café, 東京 straße",
        list=["a b"],
    ),
    dict(id="invoice-1", queue="slow", keyword="it's", int=9007199254740993, double=1e10),
    dict(id="invoice-2", queue="slow", ends="Canceled", keyword="", list=[], text="it's a"),
    dict(id="invoice-3", queue="slow"),
    dict(id="odd %_id", type="order", queue="slow", keyword="%", text="foo_bar foo-bar 42 🙂"),
    dict(id="late-1", type="Late", queue="nobody", ends="TimedOut", int=5, text="--"),
    dict(id="order-4", queue="slow", ends="Completed", list=["a", "a"], bool=True),
]


@dataclass
class Scene:
    """The server and what the queries' placeholders stand for."""

    raw: Raw
    values: dict[str, list[str]]

    def query(self, text: str) -> str:
        """The query with the scene's times and ids."""
        known = r"\{(start|close|run):(\d)\}"
        return re.sub(known, lambda m: self.values[m[1]][int(m[2]) - 1], text)


def ending(how: str) -> Command:
    """The command that ends a run this way."""
    if how == "Completed":
        return complete_workflow()
    if how == "Failed":
        command = Command(command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
        command.fail_workflow_execution_command_attributes.failure.message = "failed"
        return command
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
    command.cancel_workflow_execution_command_attributes.SetInParent()
    return command


def start(raw: Raw, run: dict) -> WorkflowExecution:
    """Starts one run of the scene and ends it as it says."""
    attributes = {
        name: payload(json.dumps(run[key], ensure_ascii=False).encode())
        for key, name in FIELDS.items()
        if key in run
    }
    fields = {}
    if run.get("ends") == "TimedOut":
        fields["workflow_run_timeout"] = {"seconds": 1}
    kind = run.get("type") or run["id"].split("-")[0].title()
    execution = raw.start(
        run["queue"],
        run["id"],
        workflow_type=WorkflowType(name=kind),
        search_attributes=SearchAttributes(indexed_fields=attributes),
        **fields,
    )
    how = run.get("ends")
    if how == "Terminated":
        raw.terminate(execution)
    elif how in ("Completed", "Failed", "Canceled"):
        # Runs before this one on the queue stay open: their task goes first and is not answered.
        while (task := raw.poll(run["queue"])).workflow_execution.workflow_id != run["id"]:
            pass
        raw.complete(task, ending(how))
    return execution


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    # The reference allows ten lists per second.
    arguments = ("--search-attribute", "CustomListField=KeywordList")
    arguments += ("--dynamic-config-value", "frontend.namespaceRPS.visibility=1000000")
    with Server(arguments=arguments) as server:
        raw = Raw(server.address)
        runs = [start(raw, run) for run in RUNS]
        expected = {run["id"]: run.get("ends", "Running") for run in RUNS}

        def statuses() -> dict[str, str]:
            names = WorkflowExecutionStatus.Name
            prefix = "WORKFLOW_EXECUTION_STATUS_"
            return {
                run.execution.workflow_id: names(run.status)
                .removeprefix(prefix)
                .title()
                .replace("_", "")
                for run in raw.call("ListWorkflowExecutions").executions
            }

        wait_for_sync(lambda: statuses() == expected, "all runs as they ended in the list")
        listed = {
            run.execution.workflow_id: run for run in raw.call("ListWorkflowExecutions").executions
        }

        def times(field: str) -> list[str]:
            values: list[Timestamp] = [getattr(listed[run["id"]], field) for run in RUNS]
            return [value.ToJsonString() for value in values]

        values = {
            "start": times("start_time"),
            "close": times("close_time"),
            "run": [run.run_id for run in runs],
        }
        yield Scene(raw, values)


def recorded() -> dict[str, dict]:
    """The reference's answers by method and query."""
    return json.loads(RECORDED.read_text()) if RECORDED.exists() else {}


def listed(scene: Scene, query: str) -> dict:
    """The ids that a list gives, page by page, or the refusal."""
    ids, token = [], b""
    while True:
        try:
            page = scene.raw.call(
                "ListWorkflowExecutions",
                query=scene.query(query),
                page_size=PAGE_SIZE,
                next_page_token=token,
            )
        except grpc.RpcError as error:
            return refused(scene, error)
        ids += [run.execution.workflow_id for run in page.executions]
        token = page.next_page_token
        if not token:
            return {"ids": ids}


def counted(scene: Scene, query: str) -> dict:
    """The count with its groups, or the refusal."""
    try:
        answer = scene.raw.call("CountWorkflowExecutions", query=scene.query(query))
    except grpc.RpcError as error:
        return refused(scene, error)
    groups = [[g.group_values[0].data.decode(), g.count] for g in answer.groups]
    kinds = {str(sorted(value.metadata.items())) for g in answer.groups for value in g.group_values}
    if not groups:
        return {"count": answer.count}
    return {"count": answer.count, "groups": sorted(groups), "kinds": sorted(kinds)}


def refused(scene: Scene, error: grpc.RpcError) -> dict:
    refusal = refusal_of(error)
    text = refusal.text
    for name, values in scene.values.items():
        for number, value in enumerate(values, 1):
            text = text.replace(value, f"{{{name}:{number}}}")
    return {"code": refusal.code, "text": text, "detail": refusal.detail}


def check(name: str, answer: dict) -> None:
    """Compares with what is recorded, or records."""
    if RECORDING:
        known = recorded()
        known[name] = answer
        RECORDED.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        return
    assert answer == recorded()[name]


@pytest.mark.parametrize("query", CONDITIONS)
def test_a_list_is_the_references(scene: Scene, query: str):
    answer = listed(scene, query)
    check(f"list {query}", answer)
    assert counted(scene, query) == counts(answer)


def counts(answer: dict) -> dict:
    """What a count must answer to a query that lists this."""
    return {"count": len(answer["ids"])} if "ids" in answer else answer


@pytest.mark.parametrize("query", GROUPS)
def test_a_grouped_count_is_the_references(scene: Scene, query: str):
    check(f"count {query}", counted(scene, query))
    check(f"list {query}", listed(scene, query))


@pytest.mark.parametrize("query", BETTER)
def test_where_the_reference_has_no_good_answer(scene: Scene, query: str):
    if scene.raw.call("GetClusterInfo").persistence_store == "sqlite":
        pytest.skip("what only Longtide answers")
    assert listed(scene, query) == {"ids": BETTER[query]}
