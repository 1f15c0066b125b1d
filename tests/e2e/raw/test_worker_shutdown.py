"""Workers that shut down: their polls end, those that come late, too."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.raw import Raw, sticky_queue
from harness.sdk import unique

POLLS = ("PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue")

AT_ONCE = 5.0
"""Well below a poll's own deadline."""


def poll(raw: Raw, method: str, queue: str | TaskQueue, instance: str):
    """A poll's answer and the seconds that it took."""
    queue = TaskQueue(name=queue) if isinstance(queue, str) else queue
    began = time.monotonic()
    answer = raw.call(
        method, timeout=20, task_queue=queue, identity="worker", worker_instance_key=instance
    )
    return answer, time.monotonic() - began


def stop(raw: Raw, queue: str, instance: str, **fields) -> None:
    raw.call(
        "ShutdownWorker",
        task_queue=queue,
        identity="worker",
        worker_instance_key=instance,
        reason="over",
        **fields,
    )


@pytest.mark.parametrize("method", POLLS)
def test_a_poll_ends_when_its_worker_stops(raw: Raw, queue: str, method: str):
    instance = unique("instance")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(poll, raw, method, queue, instance)
        time.sleep(1)  # the poll is to wait
        stop(raw, queue, instance)
        answer, seconds = waiting.result()
    assert answer.task_token == b"" and seconds < AT_ONCE


@pytest.mark.parametrize("method", POLLS)
def test_a_poll_ends_when_its_worker_stopped_before_it_came(raw: Raw, queue: str, method: str):
    instance = unique("instance")
    stop(raw, queue, instance)
    answer, seconds = poll(raw, method, queue, instance)
    assert answer.task_token == b"" and seconds < AT_ONCE


def test_a_poll_of_the_worker_s_own_queue_ends_when_it_comes_late(raw: Raw, queue: str):
    instance, sticky = unique("instance"), unique("sticky")
    stop(raw, queue, instance, sticky_task_queue=sticky)
    method = "PollWorkflowTaskQueue"
    answer, seconds = poll(raw, method, sticky_queue(sticky, queue), instance)
    assert answer.task_token == b"" and seconds < AT_ONCE


def test_a_worker_that_stopped_takes_no_task_from_another(raw: Raw, queue: str):
    stopped, other = unique("instance"), unique("instance")
    stop(raw, queue, stopped)
    run = raw.start(queue)
    answer, _ = poll(raw, "PollWorkflowTaskQueue", queue, stopped)
    assert answer.task_token == b""
    answer, _ = poll(raw, "PollWorkflowTaskQueue", queue, other)
    assert answer.workflow_execution == run
    raw.terminate(run)
