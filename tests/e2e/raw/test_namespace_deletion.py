"""Deleted namespaces: what they hold goes, durably, and then they are gone themselves."""

from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import RpcError
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import (
    CreateNexusEndpointRequest,
    DeleteNamespaceRequest,
    DeleteNexusEndpointRequest,
)
from temporalio.api.schedule.v1 import Schedule, ScheduleAction
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo

from harness.raw import Raw, Refusal, complete_workflow, refusal_of, start_fields
from harness.sdk import unique
from harness.server import Server
from harness.waiting import wait_for_sync

GONE_SECONDS = 150.0
"""How long it may take until a deleted namespace is gone. The reference waits for its caches, and
tries again after a minute when something is left."""

pytestmark = pytest.mark.timeout(200)


def register(raw: Raw, name: str) -> str:
    """A namespace that is ready for use; its id."""
    day = Duration(seconds=86_400)
    raw.call("RegisterNamespace", namespace=name, workflow_execution_retention_period=day)

    def ready():
        try:
            raw.call("ListWorkflowExecutions", namespace=name)
            return raw.call("DescribeNamespace", namespace=name).namespace_info.id
        except RpcError as error:
            assert refusal_of(error).code == "NOT_FOUND"
            return None

    return wait_for_sync(ready, "the namespace")


def fill(raw: Raw, name: str, queue: str) -> None:
    """Open and closed runs, and a schedule."""
    for number in range(6):
        fields = start_fields(queue, f"workflow-{number}")
        raw.call("StartWorkflowExecution", namespace=name, **fields)
    for _ in range(3):
        task = raw.call(
            "PollWorkflowTaskQueue", namespace=name, task_queue=TaskQueue(name=queue), timeout=10
        )
        raw.call(
            "RespondWorkflowTaskCompleted",
            namespace=name,
            task_token=task.task_token,
            commands=[complete_workflow()],
        )
    # A closed run that is not the last one of its workflow.
    fields = start_fields(queue, task.workflow_execution.workflow_id)
    raw.call("StartWorkflowExecution", namespace=name, **fields)
    action = NewWorkflowExecutionInfo(
        workflow_id="scheduled",
        workflow_type=WorkflowType(name="workflow"),
        task_queue=TaskQueue(name=queue),
    )
    schedule = Schedule(action=ScheduleAction(start_workflow=action))
    schedule.spec.interval.add(interval=Duration(seconds=3600))
    fields = {"schedule_id": "schedule", "schedule": schedule, "request_id": unique("request")}
    raw.call("CreateSchedule", namespace=name, **fields)

    def full() -> bool:
        return raw.call("CountWorkflowExecutions", namespace=name).count >= 7

    wait_for_sync(full, "all runs are listed")


def delete(raw: Raw, **fields) -> str:
    answer = raw.operator.DeleteNamespace(DeleteNamespaceRequest(**fields), timeout=20)
    return answer.deleted_namespace


def is_gone(raw: Raw, namespace_id: str) -> bool:
    try:
        raw.call("DescribeNamespace", namespace="", id=namespace_id)
    except RpcError as error:
        assert refusal_of(error).code == "NOT_FOUND"
        return True
    return False


def wait_until_gone(raw: Raw, namespace_id: str) -> None:
    wait_for_sync(lambda: is_gone(raw, namespace_id), "the namespace is gone", GONE_SECONDS)


def test_a_deleted_namespace_is_renamed_and_goes_with_all_it_holds(raw: Raw, queue: str):
    name = unique("namespace")
    namespace_id = register(raw, name)
    fill(raw, name, queue)
    assert delete(raw, namespace=name) == f"{name}-deleted-{namespace_id[:5]}"
    wait_until_gone(raw, namespace_id)
    # The name is free, and nothing is left under it.
    again = register(raw, name)
    assert again != namespace_id
    assert not raw.call("ListWorkflowExecutions", namespace=name).executions
    refused = raw.refused("DescribeSchedule", namespace=name, schedule_id="schedule")
    assert refused.code == "NOT_FOUND"
    fields = start_fields(queue, "workflow-0")
    assert raw.call("StartWorkflowExecution", namespace=name, **fields).started


def test_a_deletion_goes_on_after_a_crash(tmp_path: Path, queue: str):
    with Server(tmp_path / "data.db") as server:
        raw = Raw(server.address)
        name = unique("namespace")
        namespace_id = register(raw, name)
        fill(raw, name, queue)
        delete(raw, namespace=name)
        server.restart_after_kill()
        wait_until_gone(raw, namespace_id)
        server.restart_after_kill()
        assert is_gone(raw, namespace_id)
        raw.channel.close()


def test_a_deleted_namespace_may_stay_for_a_while(raw: Raw, queue: str):
    name = unique("namespace")
    namespace_id = register(raw, name)
    deleted = delete(raw, namespace=name, namespace_delete_delay=Duration(seconds=3600))
    info = raw.call("DescribeNamespace", namespace="", id=namespace_id).namespace_info
    assert (info.name, info.state) == (deleted, 3)


def test_a_namespace_is_deleted_by_its_id(raw: Raw):
    name = unique("namespace")
    namespace_id = register(raw, name)
    assert delete(raw, namespace_id=namespace_id) == f"{name}-deleted-{namespace_id[:5]}"
    wait_until_gone(raw, namespace_id)


def test_a_namespace_that_an_endpoint_points_at_stays(raw: Raw):
    name, endpoint = unique("namespace"), unique("endpoint")
    namespace_id = register(raw, name)
    worker = EndpointTarget.Worker(namespace=name, task_queue="queue")
    spec = EndpointSpec(name=endpoint, target=EndpointTarget(worker=worker))
    made = raw.operator.CreateNexusEndpoint(CreateNexusEndpointRequest(spec=spec), timeout=10)
    with pytest.raises(RpcError) as caught:
        delete(raw, namespace=name)
    refused = refusal_of(caught.value)
    text = f"cannot delete a namespace that is a target of a Nexus endpoint {endpoint}"
    assert (refused.code, refused.text) == ("FAILED_PRECONDITION", text)
    raw.operator.DeleteNexusEndpoint(
        DeleteNexusEndpointRequest(id=made.endpoint.id, version=made.endpoint.version), timeout=10
    )
    assert delete(raw, namespace=name).startswith(name)
    wait_until_gone(raw, namespace_id)


NOWHERE = Refusal("NOT_FOUND", "Namespace nowhere is not found.", "NamespaceNotFoundFailure")
REFUSALS = [
    (
        {"namespace": "temporal-system"},
        Refusal("FAILED_PRECONDITION", "unable to delete system namespace", None),
    ),
    ({"namespace": "nowhere"}, NOWHERE),
    ({"namespace_id": "nowhere"}, NOWHERE),
    ({}, Refusal("INVALID_ARGUMENT", "Namespace not set on request.", None)),
    (
        {"namespace": "a", "namespace_id": "b"},
        Refusal(
            "INVALID_ARGUMENT",
            "Only one of namespace name or Id should be set on request.",
            None,
        ),
    ),
]


@pytest.mark.parametrize(("fields", "refusal"), REFUSALS)
def test_what_cannot_be_deleted_is_refused(raw: Raw, fields: dict, refusal: Refusal):
    with pytest.raises(RpcError) as caught:
        delete(raw, **fields)
    assert refusal_of(caught.value) == refusal
