"""Sticky queues: the worker's own queue first, and back to the normal one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.enums.v1 import TimeoutType

from harness.history import attributes, event_types, expected, only
from harness.raw import Raw, complete_workflow, sticky, sticky_queue
from harness.sdk import unique
from harness.waiting import wait_for_sync


def test_a_sticky_task_goes_to_the_workers_own_queue_with_a_part_of_the_history(
    raw: Raw, queue: str
):
    own = unique("sticky")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), sticky_attributes=sticky(own, queue))
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(raw.poll, sticky_queue(own, queue))
        wait_for_sync(lambda: poller_seen(raw, own, queue), "the sticky poll")
        raw.signal(run)
        task = poll.result()
    assert task.workflow_execution == run
    assert (task.previous_started_event_id, task.started_event_id) == (3, 7)
    assert event_types(task.history.events) == expected(
        "WorkflowTaskCompleted Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    )
    events = raw.history(run)
    scheduled = attributes(events[5])
    assert scheduled.task_queue.name == own
    assert scheduled.task_queue.normal_name == queue
    raw.complete(task, complete_workflow())


def poller_seen(raw: Raw, own: str, normal: str) -> bool:
    described = raw.call("DescribeTaskQueue", task_queue=sticky_queue(own, normal))
    return bool(described.pollers)


def test_a_sticky_task_that_nobody_takes_times_out_to_the_normal_queue(raw: Raw, queue: str):
    own = unique("sticky")
    run = raw.start(queue)
    raw.poll(sticky_queue(own, queue), seconds=2.5)
    raw.complete(raw.poll(queue), sticky_attributes=sticky(own, queue, seconds=1.0))
    raw.signal(run)
    task = raw.poll(queue)
    assert task.attempt == 1
    events = raw.assert_history(
        run,
        "Started WorkflowTask Signaled WorkflowTaskScheduled WorkflowTaskTimedOut "
        "WorkflowTaskScheduled WorkflowTaskStarted",
    )
    timed_out = attributes(only(events, "WorkflowTaskTimedOut"))
    assert timed_out.timeout_type == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
    assert event_types(task.history.events) == event_types(events)
    raw.complete(task, complete_workflow())


@pytest.mark.parametrize("reset", ["ResetStickyTaskQueue", "completion without attributes"])
def test_stickiness_ends_when_it_is_reset(raw: Raw, queue: str, reset: str):
    own = unique("sticky")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), sticky_attributes=sticky(own, queue, seconds=60))
    if reset == "ResetStickyTaskQueue":
        raw.call("ResetStickyTaskQueue", execution=run)
    else:
        raw.signal(run)
        raw.complete(raw.poll(queue))
    raw.signal(run)
    task = raw.poll(queue)
    assert task.task_token
    assert event_types(task.history.events)[0] == "WorkflowExecutionStarted"
    raw.complete(task, complete_workflow())
    refused = raw.refused("ResetStickyTaskQueue", execution=run)
    assert (refused.code, refused.text) == ("NOT_FOUND", "workflow execution already completed")
