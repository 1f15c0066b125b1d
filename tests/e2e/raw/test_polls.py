"""Long polls: what a task carries, deadlines, and answers without a task."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import TaskQueueKind
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.history import event_types, expected
from harness.raw import (
    Raw,
    complete_workflow,
    messages,
    payloads,
    schedule_activity,
    start_fields,
)
from harness.sdk import unique


@pytest.mark.parametrize("kind", ["workflow", "activity"])
def test_a_poll_without_a_task_answers_empty_before_its_deadline(raw: Raw, queue: str, kind: str):
    poll = raw.poll if kind == "workflow" else raw.poll_activity
    before = time.monotonic()
    answer = poll(queue, seconds=3.0)
    waited = time.monotonic() - before
    assert answer.task_token == b""
    assert answer.SerializeToString() == type(answer)().SerializeToString()
    assert 1.5 <= waited < 3.0


def test_a_waiting_poll_gets_the_task_when_it_comes(raw: Raw, queue: str):
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(raw.poll, queue)
        run = raw.start(queue)
        task = poll.result()
    assert task.workflow_execution == run
    raw.terminate(run)


def test_a_first_workflow_task_carries_all_a_worker_needs(raw: Raw, queue: str):
    run = raw.start(queue, input=payloads(b"1", b"2"))
    task = raw.poll(queue, identity="the-worker")
    assert task.task_token
    assert task.workflow_execution == run
    assert task.workflow_type == WorkflowType(name="workflow")
    assert task.previous_started_event_id == 0
    assert task.started_event_id == 3
    assert task.attempt == 1
    assert task.next_page_token == b""
    assert task.workflow_execution_task_queue.name == queue
    assert task.workflow_execution_task_queue.kind == TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    assert 0 < task.scheduled_time.ToNanoseconds() <= task.started_time.ToNanoseconds()
    assert event_types(task.history.events) == expected(
        "Started WorkflowTaskScheduled WorkflowTaskStarted"
    )
    started = task.history.events[0].workflow_execution_started_event_attributes
    assert started.input == payloads(b"1", b"2")
    worker = task.history.events[2].workflow_task_started_event_attributes.identity
    assert worker == "the-worker"
    raw.complete(task, complete_workflow(b"3"))
    raw.assert_history(run, "Started WorkflowTask Completed")


def test_a_later_workflow_task_carries_the_whole_history(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.signal(run)
    task = raw.poll(queue)
    assert (task.previous_started_event_id, task.started_event_id) == (3, 7)
    assert event_types(task.history.events) == expected(
        "Started WorkflowTask Signaled WorkflowTaskScheduled WorkflowTaskStarted"
    )
    raw.complete(task, complete_workflow())
    raw.assert_history(run, "Started WorkflowTask Signaled WorkflowTask Completed")


def test_an_activity_task_carries_all_a_worker_needs(raw: Raw, queue: str):
    run = raw.start(queue)
    command = schedule_activity(
        "a", queue, heartbeat_timeout=4.0, schedule_to_close_timeout=60, maximum_attempts=3
    )
    command.schedule_activity_task_command_attributes.input.CopyFrom(payloads(b"7"))
    raw.complete(raw.poll(queue), command)
    task = raw.poll_activity(queue)
    assert task.workflow_execution == run
    assert task.workflow_namespace == "default"
    assert task.workflow_type.name == "workflow"
    assert task.activity_type.name == "activity"
    assert task.activity_id == "a"
    assert task.input == payloads(b"7")
    assert task.attempt == 1
    assert task.start_to_close_timeout.seconds == 10
    assert task.schedule_to_close_timeout.seconds == 60
    assert task.heartbeat_timeout.seconds == 4
    assert task.retry_policy.maximum_attempts == 3
    assert task.retry_policy.initial_interval.seconds == 1
    times = [task.scheduled_time, task.current_attempt_scheduled_time, task.started_time]
    nanoseconds = [moment.ToNanoseconds() for moment in times]
    assert nanoseconds == sorted(nanoseconds) and nanoseconds[0] > 0
    raw.terminate(run)


def test_each_task_goes_to_one_poll_only(raw: Raw, queue: str):
    runs = [raw.start(queue) for _ in range(10)]
    with ThreadPoolExecutor(max_workers=14) as pool:
        polls = list(pool.map(lambda _: raw.poll(queue, seconds=3.0), range(14)))
    got = [task.workflow_execution.run_id for task in polls if task.task_token]
    assert sorted(got) == sorted(run.run_id for run in runs)
    for run in runs:
        raw.terminate(run)


def test_a_backlog_is_given_out_in_order(raw: Raw, queue: str):
    runs = [raw.start(queue) for _ in range(5)]
    got = []
    for _ in runs:
        task = raw.poll(queue)
        got.append(task.workflow_execution.run_id)
        raw.complete(task, complete_workflow())
    assert sorted(got) == sorted(run.run_id for run in runs)


def test_a_cancelled_poll_does_not_lose_a_task(raw: Raw, queue: str):
    request = messages.PollWorkflowTaskQueueRequest(
        namespace="default", task_queue=TaskQueue(name=queue), identity="leaves"
    )
    polls = [raw.workflow.PollWorkflowTaskQueue.future(request, timeout=30) for _ in range(3)]
    gone = threading.Event()
    polls[-1].add_done_callback(lambda _: gone.set())
    for poll in polls:
        poll.cancel()
    assert gone.wait(5)
    run = raw.start(queue)
    task = raw.poll(queue, seconds=15.0)
    while not task.task_token:
        task = raw.poll(queue, seconds=15.0)
    assert task.workflow_execution == run
    raw.terminate(run)


def test_tasks_of_one_namespace_are_unseen_from_another(raw: Raw, queue: str):
    run = raw.start(queue)
    answer = raw.call(
        "PollWorkflowTaskQueue",
        namespace="temporal-system",
        timeout=3.0,
        task_queue=TaskQueue(name=queue),
    )
    assert answer.task_token == b""
    assert raw.poll(queue).workflow_execution == run
    raw.terminate(run)


def test_the_health_service_answers_for_the_workflow_service(raw: Raw):
    check = raw.channel.unary_unary("/grpc.health.v1.Health/Check")
    name = b"temporal.api.workflowservice.v1.WorkflowService"
    serving = b"\x08\x01"
    assert check(b"\x0a" + bytes([len(name)]) + name, timeout=5) == serving


def test_an_eager_start_gives_the_first_workflow_task_at_once(raw: Raw, queue: str):
    workflow_id = unique("eager")
    answer = raw.call(
        "StartWorkflowExecution",
        **start_fields(queue, workflow_id, request_eager_execution=True),
    )
    task = answer.eager_workflow_task
    assert task.task_token
    assert (task.started_event_id, task.attempt) == (3, 1)
    raw.complete(task, complete_workflow(b"1"))
    run = WorkflowExecution(workflow_id=workflow_id, run_id=answer.run_id)
    raw.assert_history(run, "Started WorkflowTask Completed")
