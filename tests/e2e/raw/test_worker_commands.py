"""Commands of the server to workers: an activity is told at once that it is to stop."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc import RpcError
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, TaskQueueKind
from temporalio.api.nexus.v1 import Response, StartOperationResponse
from temporalio.api.nexusservices.workerservice.v1 import ExecuteCommandsRequest
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.raw import Raw, complete_workflow, schedule_activity
from harness.sdk import unique
from harness.server import Server

SWITCHED_ON = (
    "--dynamic-config-value",
    "frontend.WorkerCommandsEnabled=true",
    "--dynamic-config-value",
    "system.enableCancelActivityWorkerCommand=true",
)
"""The reference sends commands when it is told to."""


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    with Server(arguments=SWITCHED_ON) as server:
        client = Raw(server.address)
        yield client
        client.channel.close()


@pytest.fixture
def control() -> str:
    return unique("temporal-sys/worker-commands/group")


def poll_activity(raw: Raw, queue: str, control: str):
    return raw.call(
        "PollActivityTaskQueue",
        timeout=10,
        task_queue=TaskQueue(name=queue),
        identity="raw",
        worker_control_task_queue=control,
    )


def cancel_activity(scheduled_event_id: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
    attributes = command.request_cancel_activity_task_command_attributes
    attributes.scheduled_event_id = scheduled_event_id
    return command


def poll_commands(raw: Raw, control: str, seconds: float = 10.0):
    kind = TaskQueueKind.TASK_QUEUE_KIND_WORKER_COMMANDS
    queue = TaskQueue(name=control, kind=kind)
    return raw.call("PollNexusTaskQueue", timeout=seconds, task_queue=queue, identity="raw")


def cancelled(raw: Raw, control: str) -> set[bytes]:
    """The tokens of the attempts that the next message to the worker stops."""
    task = poll_commands(raw, control)
    start = task.request.start_operation
    assert start.service == "temporal.api.nexusservices.workerservice.v1.WorkerService"
    assert start.operation == "ExecuteCommands"
    assert start.payload.metadata["encoding"] == b"binary/protobuf"
    commands = ExecuteCommandsRequest.FromString(start.payload.data).commands
    answer = Response(
        start_operation=StartOperationResponse(sync_success=StartOperationResponse.Sync())
    )
    raw.call("RespondNexusTaskCompleted", task_token=task.task_token, response=answer)
    return {command.cancel_activity.task_token for command in commands}


def is_silent(raw: Raw, control: str) -> bool:
    try:
        return not poll_commands(raw, control, seconds=2.5).task_token
    except RpcError as error:
        assert error.code().name == "DEADLINE_EXCEEDED"
        return True


def started(raw: Raw, queue: str, control: str, count: int = 2) -> tuple[WorkflowExecution, list]:
    """A run whose activities a worker holds that takes commands; and their tasks."""
    run = raw.start(queue)
    ids = [f"a{number}" for number in range(count)]
    raw.complete(raw.poll(queue), *(schedule_activity(name, queue) for name in ids))
    return run, [poll_activity(raw, queue, control) for _ in ids]


def test_activities_that_are_to_stop_are_named_in_one_message(raw: Raw, queue: str, control: str):
    run, tasks = started(raw, queue, control)
    raw.signal(run)
    raw.complete(raw.poll(queue), cancel_activity(5), cancel_activity(6))
    assert cancelled(raw, control) == {task.task_token for task in tasks}
    for task in tasks:
        beat = raw.call("RecordActivityTaskHeartbeat", task_token=task.task_token)
        assert beat.cancel_requested
        raw.call("RespondActivityTaskCanceled", task_token=task.task_token)
    raw.complete(raw.poll(queue), complete_workflow())
    assert is_silent(raw, control)


def test_a_closed_run_stops_what_its_activities_still_do(raw: Raw, queue: str, control: str):
    run, tasks = started(raw, queue, control)
    raw.terminate(run)
    assert cancelled(raw, control) == {task.task_token for task in tasks}


def test_an_activity_that_no_worker_holds_needs_no_message(raw: Raw, queue: str, control: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", unique("nobody")))
    raw.signal(run)
    raw.complete(raw.poll(queue), cancel_activity(5))
    assert is_silent(raw, control)


def test_a_worker_that_takes_no_commands_is_told_by_its_heartbeat(raw: Raw, queue: str):
    run, [task] = started(raw, queue, "", 1)
    raw.signal(run)
    raw.complete(raw.poll(queue), cancel_activity(5))
    beat = raw.call("RecordActivityTaskHeartbeat", task_token=task.task_token)
    assert beat.cancel_requested


def test_an_eager_activity_is_stopped_too(raw: Raw, queue: str, control: str):
    run = raw.start(queue)
    answer = raw.complete(
        raw.poll(queue),
        schedule_activity("a", queue, eager=True),
        worker_control_task_queue=control,
    )
    [task] = answer.activity_tasks
    raw.terminate(run)
    assert cancelled(raw, control) == {task.task_token}


def test_a_message_survives_a_crash(tmp_path: Path, queue: str, control: str):
    with Server(tmp_path / "data.db", SWITCHED_ON) as server:
        client = Raw(server.address)
        run, tasks = started(client, queue, control)
        client.terminate(run)
        server.restart_after_kill()
        assert cancelled(client, control) == {task.task_token for task in tasks}
        client.channel.close()


def test_workers_are_told_that_they_may_take_commands(raw: Raw):
    capabilities = raw.call("DescribeNamespace").namespace_info.capabilities
    assert capabilities.worker_commands
