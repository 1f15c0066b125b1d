"""What a client calls a search attribute's type stays in histories; lists go by the true type."""

import pytest
from temporalio.api.command.v1 import Command, UpsertWorkflowSearchAttributesCommandAttributes
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.enums.v1 import CommandType

from harness.raw import Raw
from harness.sdk import unique
from harness.waiting import wait_for_sync

TRUE = {"CustomKeywordField": b"Keyword", "CustomTextField": b"Text", "CustomIntField": b"Int"}
"""The types that the attributes have."""

VALUES = {"CustomKeywordField": b'["red"]', "CustomTextField": b'"a b"', "CustomIntField": b"3"}

LISTED = VALUES | {"CustomKeywordField": b'"red"'}
"""A keyword in a list of one is listed as the keyword."""

CLAIMS = {
    "absent": dict.fromkeys(TRUE),
    "right": TRUE,
    "wrong": {
        "CustomKeywordField": b"Text",
        "CustomTextField": b"Keyword",
        "CustomIntField": b"Double",
    },
    "of-no-type": {
        "CustomKeywordField": b"",
        "CustomTextField": b"INDEXED_VALUE_TYPE_TEXT",
        "CustomIntField": b"nonsense",
    },
}

KEPT = CLAIMS | {"absent": TRUE}
"""What a history says: the true types only where the client said nothing."""

every_claim = pytest.mark.parametrize("claim", CLAIMS)


def attributes(claim: str) -> SearchAttributes:
    fields = {}
    for name, kind in CLAIMS[claim].items():
        metadata = {"encoding": b"json/plain"} | ({} if kind is None else {"type": kind})
        fields[name] = Payload(metadata=metadata, data=VALUES[name])
    return SearchAttributes(indexed_fields=fields)


def said(found: SearchAttributes) -> dict[str, tuple[bytes, bytes]]:
    """Type and value of the custom attributes; others are the server's own."""
    return {
        name: (payload.metadata["type"], payload.data)
        for name, payload in found.indexed_fields.items()
        if name in TRUE
    }


def expected(types: dict[str, bytes], values: dict[str, bytes]) -> dict[str, tuple[bytes, bytes]]:
    return {name: (types[name], values[name]) for name in TRUE}


def assert_described_and_listed(raw: Raw, run, claim: str) -> None:
    described = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    assert said(described.search_attributes) == expected(KEPT[claim], VALUES)
    query = (
        f"RunId = '{run.run_id}' AND CustomKeywordField = 'red' AND CustomTextField = 'b' "
        "AND CustomIntField = 3"
    )

    def listed() -> list:
        return list(raw.call("ListWorkflowExecutions", query=query).executions)

    wait_for_sync(lambda: len(listed()) == 1, "the run in the list")
    assert said(listed()[0].search_attributes) == expected(TRUE, LISTED)


@every_claim
def test_a_start_keeps_the_types_that_it_names(raw: Raw, claim: str):
    run = raw.start(unique("queue"), search_attributes=attributes(claim))
    started = raw.history(run)[0].workflow_execution_started_event_attributes
    assert said(started.search_attributes) == expected(KEPT[claim], VALUES)
    assert_described_and_listed(raw, run, claim)
    raw.terminate(run)


@every_claim
def test_a_workflow_keeps_the_types_that_it_names(raw: Raw, claim: str):
    queue = unique("queue")
    run = raw.start(queue)
    upsert = Command(
        command_type=CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        upsert_workflow_search_attributes_command_attributes=(
            UpsertWorkflowSearchAttributesCommandAttributes(search_attributes=attributes(claim))
        ),
    )
    raw.complete(raw.poll(queue), upsert)
    events = raw.assert_history(
        run,
        "WorkflowExecutionStarted WorkflowTaskScheduled WorkflowTaskStarted "
        "WorkflowTaskCompleted UpsertWorkflowSearchAttributes",
    )
    upserted = events[-1].upsert_workflow_search_attributes_event_attributes
    assert said(upserted.search_attributes) == expected(KEPT[claim], VALUES)
    assert_described_and_listed(raw, run, claim)
    raw.terminate(run)
