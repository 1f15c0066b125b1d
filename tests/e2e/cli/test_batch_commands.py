"""`temporal batch`, and the workflow commands that take a query."""

import re

import pytest
from temporalio.api.enums.v1 import WorkflowExecutionStatus

from harness.raw import Raw
from harness.sdk import unique
from harness.waiting import wait_for_sync

RUNNING = "BATCH_OPERATION_STATE_RUNNING"
COMPLETED = "BATCH_OPERATION_STATE_COMPLETED"


@pytest.fixture
def query(raw: Raw) -> str:
    """Names three open runs."""
    prefix = unique("batch")
    for number in range(3):
        raw.start(unique("queue"), f"{prefix}-{number}")
    found = f"WorkflowId STARTS_WITH '{prefix}'"
    wait_for_sync(lambda: counted(raw, found) == 3, "three runs in the list")
    return found


def counted(raw: Raw, query: str) -> int:
    return raw.call("CountWorkflowExecutions", query=query).count


def start(cli, *words: str) -> str:
    """Starts a batch operation when it is its turn, and gives its id."""

    def started() -> str | None:
        done = cli.run(*words, "--yes")
        if done.returncode != 0:
            assert "Max concurrent batch operations is reached" in done.stderr, done.stderr
            return None
        # The query, which holds an id as well, is printed before.
        return re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", done.stdout)[-1]

    return wait_for_sync(started, "the batch operation's turn")


def ended(cli, job_id: str) -> dict:
    """The description of a batch operation that has ended."""

    def look() -> dict | None:
        found = cli.json("batch", "describe", "--job-id", job_id)
        return found if found["state"] != RUNNING else None

    return wait_for_sync(look, "the end of the batch operation")


@pytest.mark.parametrize(
    ("words", "kind", "status"),
    [
        (("terminate", "--reason", "done"), "TERMINATE", "TERMINATED"),
        (("cancel", "--reason", "done"), "CANCEL", "RUNNING"),
        (("signal", "--name", "go", "--reason", "done"), "SIGNAL", "RUNNING"),
    ],
)
def test_a_workflow_command_takes_a_query(
    cli, raw: Raw, query: str, words: tuple[str, ...], kind: str, status: str
):
    job_id = start(cli, "workflow", *words, "--query", query)
    found = ended(cli, job_id)
    assert found["state"] == COMPLETED
    assert found["operationType"] == f"BATCH_OPERATION_TYPE_{kind}_WORKFLOW"
    assert (found["totalOperationCount"], found["completeOperationCount"]) == ("3", "3")
    wanted = WorkflowExecutionStatus.Value(f"WORKFLOW_EXECUTION_STATUS_{status}")
    for run in raw.call("ListWorkflowExecutions", query=query).executions:
        described = raw.call("DescribeWorkflowExecution", execution=run.execution)
        assert described.workflow_execution_info.status == wanted


def test_a_query_deletes(cli, raw: Raw, query: str):
    ended(cli, start(cli, "workflow", "delete", "--reason", "done", "--query", query))
    wait_for_sync(lambda: counted(raw, query) == 0, "no run in the list")


def test_batch_operations_are_listed_and_stopped(cli, raw: Raw, query: str):
    words = ("workflow", "terminate", "--reason", "slowly", "--query", query, "--rps", "1")
    job_id = start(cli, *words)
    listed = {found["jobId"]: found for found in cli.json("batch", "list")}
    assert job_id in listed
    cli.run("batch", "terminate", "--job-id", job_id, "--reason", "enough")
    assert ended(cli, job_id)["state"] != RUNNING
    assert "could not find Batch Job" in cli.fails("batch", "describe", "--job-id", "nobody")
