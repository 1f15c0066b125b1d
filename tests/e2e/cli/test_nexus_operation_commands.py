"""`temporal nexus operation`: operations that no workflow waits for."""

import threading

import pytest

from harness.sdk import unique

WORDS = ["nexus", "operation"]


@pytest.fixture
def endpoint(cli) -> str:
    """An endpoint for a task queue of its own name."""
    name = unique("endpoint")
    cli.text(
        "operator", "nexus", "endpoint", "create", "--name", name,
        "--target-namespace", "default", "--target-task-queue", name,
    )  # fmt: skip
    return name


def start(cli, endpoint: str, *more: str) -> str:
    operation_id = unique("operation")
    cli.json(
        *WORDS, "start", "--operation-id", operation_id, "--endpoint", endpoint,
        "--service", "service", "--operation", "echo", "--input", '"in"', *more,
    )  # fmt: skip
    return operation_id


def answer(raw, queue: str, payload: bytes) -> None:
    task = raw.call("PollNexusTaskQueue", task_queue={"name": queue}, timeout=30)
    metadata = {"encoding": b"json/plain"}
    success = {"payload": {"metadata": metadata, "data": payload}}
    raw.call(
        "RespondNexusTaskCompleted",
        task_token=task.task_token,
        response={"start_operation": {"sync_success": success}},
    )


def of(operation_id: str) -> list[str]:
    return ["--operation-id", operation_id]


def test_an_operation_is_started_described_answered_and_listed(cli, raw, endpoint):
    operation_id = start(cli, endpoint, "--static-summary", "what for")
    described = cli.json(*WORDS, "describe", *of(operation_id))
    assert described["status"] == "NEXUS_OPERATION_EXECUTION_STATUS_RUNNING"
    assert (described["endpoint"], described["service"]) == (endpoint, "service")
    answer(raw, endpoint, b'"out"')
    assert cli.json(*WORDS, "result", *of(operation_id))["result"] == "out"
    query = f"Endpoint = '{endpoint}'"
    listed = cli.json(*WORDS, "list", "--query", query)
    assert [found["operationId"] for found in listed] == [operation_id]
    assert cli.json(*WORDS, "count", "--query", query)["count"] == "1"


def test_an_operation_is_executed(cli, raw, endpoint):
    handler = threading.Thread(target=answer, args=(raw, endpoint, b'"done"'))
    handler.start()
    done = cli.json(
        *WORDS, "execute", "--operation-id", unique("operation"), "--endpoint", endpoint,
        "--service", "service", "--operation", "echo", "--input", '"in"',
    )  # fmt: skip
    handler.join()
    assert done["result"] == "done"


def test_an_operation_is_cancelled_and_terminated(cli, endpoint):
    operation_id = start(cli, endpoint)
    cli.text(*WORDS, "cancel", *of(operation_id), "--reason", "enough")
    assert "already" in cli.fails(*WORDS, "cancel", *of(operation_id), "--reason", "enough")
    cli.text(*WORDS, "terminate", *of(operation_id), "--reason", "enough")
    described = cli.json(*WORDS, "describe", *of(operation_id))
    assert described["status"] == "NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED"
    assert "enough" in cli.fails(*WORDS, "result", *of(operation_id))


def test_an_id_that_runs_is_refused(cli, endpoint):
    operation_id = start(cli, endpoint)
    refused = cli.fails(
        *WORDS, "start", "--operation-id", operation_id, "--endpoint", endpoint,
        "--service", "service", "--operation", "echo",
    )  # fmt: skip
    assert "already" in refused
    assert "not found" in cli.fails(*WORDS, "describe", *of("nobody")).lower()
