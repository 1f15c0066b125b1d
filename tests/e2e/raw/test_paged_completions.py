"""Answers to workflow tasks that come in pages."""

from collections.abc import Iterator

import pytest

from harness.history import attributes
from harness.raw import Raw, Refusal, complete_workflow, payloads, record_marker, start_timer
from harness.server import Server

SWITCHED_ON = (
    "--dynamic-config-value",
    "history.enableWorkflowTaskCompletionPagination=true",
    "--dynamic-config-value",
    "system.transactionSizeLimit=33554432",
)
LOST = "WorkflowTaskCompletionBufferLostFailure"


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    with Server(arguments=SWITCHED_ON) as server:
        client = Raw(server.address)
        yield client
        client.channel.close()


def markers(events) -> list:
    return [
        event.marker_recorded_event_attributes
        for event in events
        if event.HasField("marker_recorded_event_attributes")
    ]


def page(raw: Raw, task, number: int, *commands, **fields):
    return raw.complete(task, *commands, page_number=number, intermediate_page=True, **fields)


def test_the_commands_of_all_pages_are_one_answer(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    page(raw, task, 1, record_marker("second"))
    page(raw, task, 0, record_marker("first"), start_timer("t", 60_000))
    page(raw, task, 0, record_marker("again"))
    raw.complete(task, record_marker("last"), page_number=2)
    events = raw.assert_history(
        run, "Started WorkflowTask MarkerRecorded TimerStarted MarkerRecorded MarkerRecorded"
    )
    assert [marker.marker_name for marker in markers(events)] == ["first", "second", "last"]


def test_an_answer_may_be_larger_than_a_request(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    large = b'"' + b"x" * (1024 * 1024) + b'"'
    for number in range(6):
        page(raw, task, number, record_marker(f"m{number}", large))
    raw.complete(task, complete_workflow(), page_number=6)
    events = raw.assert_history(run, "Started WorkflowTask " + "MarkerRecorded " * 6 + "Completed")
    assert [marker.details["data"] for marker in markers(events)] == [payloads(large)] * 6


def test_pages_that_are_not_there_are_asked_for_again(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    lost = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, page_number=1, identity="raw"
    )
    text = "workflow task completion buffer lost for scheduled event 2 attempt 1"
    assert lost == Refusal("ABORTED", text, LOST)
    page(raw, task, 0, record_marker("first"))
    gap = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, page_number=2, identity="raw"
    )
    assert gap == Refusal("ABORTED", "workflow task completion buffer missing page 1 of 2", LOST)
    # All of it is gone, and the task is not: it is answered anew.
    page(raw, task, 0, record_marker("first"))
    raw.complete(task, page_number=1)
    raw.assert_history(run, "Started WorkflowTask MarkerRecorded")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"intermediate_page": True},
            "intermediate workflow task page must carry at least one command",
        ),
        (
            {"intermediate_page": True, "page_number": -1},
            "workflow task completion pagination page number must be non-negative",
        ),
        (
            {"page_number": 1024},
            "workflow task completion pagination supports at most 1024 pages",
        ),
    ],
)
def test_pages_that_are_none_are_refused(raw: Raw, queue: str, fields: dict, text: str):
    raw.start(queue)
    task = raw.poll(queue)
    refused = raw.refused("RespondWorkflowTaskCompleted", task_token=task.task_token, **fields)
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_a_page_of_a_task_that_has_ended_is_refused(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    raw.terminate(run)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=[record_marker("m")],
        intermediate_page=True,
    )
    assert refused == Refusal("NOT_FOUND", "Workflow task not found.", "NotFoundFailure")


def test_an_answer_that_is_too_large_ends_the_run(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    large = b'"' + b"x" * (3 * 1024 * 1024 + 512 * 1024) + b'"'
    for number in range(11):
        page(raw, task, number, record_marker(f"m{number}", large))
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=task.task_token,
        commands=[record_marker("m", large)],
        page_number=11,
        intermediate_page=True,
    )
    text = "workflow task completion buffer size exceeds the per-workflow limit"
    assert refused == Refusal("INVALID_ARGUMENT", f"RequestTooLarge: {text}", None)
    events = raw.assert_history(
        run, "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed Terminated"
    )
    assert attributes(events[3]).failure.message == f"RequestTooLarge: {text}"
    assert attributes(events[4]).reason == f"RequestTooLarge: {text}"


def test_workers_are_told_that_they_may_send_pages(raw: Raw):
    info = raw.call("DescribeNamespace").namespace_info
    assert info.capabilities.workflow_task_completion_pagination
    assert info.limits.workflow_task_completion_size_limit_error == 40 * 1024 * 1024
