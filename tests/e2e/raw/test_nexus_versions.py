"""Nexus tasks go to the version of the handlers that is current."""

from grpc import RpcError
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType
from temporalio.api.nexus.v1 import (
    EndpointSpec,
    EndpointTarget,
    Response,
    StartOperationResponse,
)
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.raw import Raw, complete_workflow
from harness.sdk import unique
from harness.versioned import VersionedWorker
from harness.waiting import wait_for_sync

NEXUS = 3


def poll(raw: Raw, queue: str, worker: VersionedWorker | None = None, seconds: float = 2.5):
    """A Nexus task for a version of the handlers, or for one without; none when none comes."""
    options = {"deployment_options": worker.options} if worker else {}
    try:
        return raw.call(
            "PollNexusTaskQueue",
            timeout=seconds,
            task_queue=TaskQueue(name=queue),
            identity="handler",
            **options,
        )
    except RpcError as error:
        # A busy machine: the empty answer comes too late.
        assert error.code().name == "DEADLINE_EXCEEDED"
        return None


def schedule_operation(endpoint: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION)
    attributes = command.schedule_nexus_operation_command_attributes
    attributes.endpoint = endpoint
    attributes.service = "service"
    attributes.operation = "operation"
    attributes.schedule_to_close_timeout.FromSeconds(60)
    return command


def test_an_operation_goes_to_the_current_version_of_its_handlers(raw: Raw, queue: str):
    handlers, endpoint = unique("handlers"), unique("endpoint")
    target = EndpointTarget.Worker(namespace="default", task_queue=handlers)
    spec = EndpointSpec(name=endpoint, target=EndpointTarget(worker=target))
    raw.operator.CreateNexusEndpoint(CreateNexusEndpointRequest(spec=spec), timeout=10)
    worker = VersionedWorker(raw, unique("shop"), "1")
    poll(raw, handlers, worker)
    wait_for_sync(lambda: worker.is_registered(handlers, NEXUS), "the handlers are registered")
    worker.make_current(allow_no_pollers=True)
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_operation(endpoint))
    other = poll(raw, handlers)
    assert not (other and other.task_token)
    task = wait_for_sync(
        lambda: (found := poll(raw, handlers, worker, 12)) and found.task_token and found,
        "the task",
    )
    assert task.request.start_operation.operation == "operation"
    done = StartOperationResponse(sync_success=StartOperationResponse.Sync())
    raw.call(
        "RespondNexusTaskCompleted",
        task_token=task.task_token,
        response=Response(start_operation=done),
    )
    raw.complete(raw.poll(queue), complete_workflow())
    raw.assert_history(
        run,
        "Started WorkflowTask NexusOperationScheduled NexusOperationCompleted WorkflowTask "
        "Completed",
    )
