"""Limits of a development server that are set under the reference's names."""

from collections.abc import Iterator

import pytest

from harness.raw import Raw, payloads
from harness.sdk import unique
from harness.server import Server

LIMITS = {
    "limit.blobSize.error": 4096,
    "limit.blobSize.warn": 1024,
    "limit.memoSize.error": 2048,
    "limit.historyCount.suggestContinueAsNew": 5,
    "history.maximumBufferedEventsBatch": 3,
}


@pytest.fixture(scope="module")
def limited() -> Iterator[Raw]:
    arguments = []
    for key, value in LIMITS.items():
        arguments += ["--dynamic-config-value", f"{key}={value}"]
    with Server(arguments=tuple(arguments)) as running:
        client = Raw(running.address)
        yield client
        client.channel.close()


def test_clients_hear_of_them(limited: Raw):
    described = limited.call("DescribeNamespace", namespace="default")
    limits = described.namespace_info.limits
    assert limits.blob_size_limit_error == 4096
    assert limits.memo_size_limit_error == 2048


def test_they_hold(limited: Raw):
    queue = unique("queue")
    run = limited.start(queue, input=payloads(b'"' + b"x" * 4000 + b'"'))
    limited.terminate(run)
    refused = limited.refused(
        "StartWorkflowExecution",
        workflow_id=unique("large"),
        workflow_type={"name": "workflow"},
        task_queue={"name": queue},
        request_id=unique(),
        input=payloads(b'"' + b"x" * 4096 + b'"'),
    )
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text == "Blob data size exceeds limit."


def test_more_events_than_may_wait_end_the_task(limited: Raw):
    queue = unique("queue")
    run = limited.start(queue)
    limited.poll(queue)
    for _ in range(4):
        limited.signal(run)
    limited.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed "
        "Signaled Signaled Signaled Signaled",
    )
    task = limited.poll(queue)
    assert task.history.events[-1].workflow_task_started_event_attributes.suggest_continue_as_new
    limited.terminate(run)
