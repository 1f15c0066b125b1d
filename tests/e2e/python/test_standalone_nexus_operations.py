"""Nexus operations that no workflow waits for: results, retries, ids, lists, ends, and a kill."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import nexusrpc
import nexusrpc.handler
import pytest
from temporalio import nexus, workflow
from temporalio.api.enums.v1 import NexusOperationWaitStage
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.workflowservice.v1 import (
    DeleteNexusOperationExecutionRequest,
    DescribeNexusOperationExecutionRequest,
    PollNexusOperationExecutionRequest,
)
from temporalio.client import Client, NexusOperationFailureError, NexusOperationHandle
from temporalio.common import (
    NexusOperationCancellationState,
    NexusOperationExecutionStatus,
    NexusOperationIDConflictPolicy,
    NexusOperationIDReusePolicy,
    PendingNexusOperationExecutionState,
)
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    NexusOperationAlreadyStartedError,
    TerminatedError,
    TimeoutError,
)
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import unique, worker
from harness.server import Server
from harness.waiting import wait_for

PATIENCE = timedelta(seconds=60)


@workflow.defn
class Works:
    """What an operation may stand for."""

    def __init__(self) -> None:
        self.may_go = False

    @workflow.run
    async def run(self, order: str) -> str:
        if order == "fail":
            raise ApplicationError("no", type="Refused")
        if order == "wait":
            await workflow.wait_condition(lambda: self.may_go)
        return f"worked on {order}"

    @workflow.signal
    def go(self) -> None:
        self.may_go = True


@nexusrpc.service
class Service:
    echo: nexusrpc.Operation[str, str]
    unstable: nexusrpc.Operation[str, str]
    fails: nexusrpc.Operation[str, str]
    refuses: nexusrpc.Operation[str, str]
    works: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Service)
class Handler:
    def __init__(self) -> None:
        self.attempts = 0
        self.requests: list[nexusrpc.handler.StartOperationContext] = []
        self.works_ids: list[str] = []

    @nexusrpc.handler.sync_operation
    async def echo(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        self.requests.append(ctx)
        return text

    @nexusrpc.handler.sync_operation
    async def unstable(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        self.requests.append(ctx)
        self.attempts += 1
        if self.attempts < 2:
            raise RuntimeError("not yet")
        return text

    @nexusrpc.handler.sync_operation
    async def fails(self, ctx: nexusrpc.handler.StartOperationContext, state: str) -> str:
        raise nexusrpc.OperationError("no", state=nexusrpc.OperationErrorState[state])

    @nexusrpc.handler.sync_operation
    async def refuses(self, ctx: nexusrpc.handler.StartOperationContext, kind: str) -> str:
        raise nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType[kind])

    @nexus.workflow_run_operation
    async def works(
        self, ctx: nexus.WorkflowRunOperationContext, order: str
    ) -> nexus.WorkflowHandle[str]:
        workflow_id = f"works-{uuid.uuid4()}"
        self.works_ids.append(workflow_id)
        return await ctx.start_workflow(Works.run, order, id=workflow_id)


@pytest.fixture
async def endpoint(client: Client, queue: str) -> str:
    """An endpoint that points at the test's own queue."""
    return await endpoint_of(client, queue)


async def endpoint_of(client: Client, queue: str) -> str:
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=queue))
    name = unique("endpoint")
    await client.operator_service.create_nexus_endpoint(
        CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
    )
    return name


def serving(client: Client, queue: str, handler: Handler | None = None):
    """A worker of the handler, and of the workflow behind it."""
    return worker(client, queue, [Works], nexus_service_handlers=[handler or Handler()])


async def start(
    client: Client, endpoint: str, operation: nexusrpc.Operation, argument: str, **more
) -> NexusOperationHandle:
    services = client.create_nexus_client(service=Service, endpoint=endpoint)
    more = {"id": unique("operation"), "schedule_to_close_timeout": PATIENCE} | more
    return await services.start_operation(operation, argument, **more)


async def failure_of(handle: NexusOperationHandle) -> BaseException:
    with pytest.raises(NexusOperationFailureError) as failed:
        await handle.result()
    return failed.value.cause


async def test_an_operation_runs_without_a_workflow(
    client: Client, queue: str, endpoint: str
) -> None:
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await start(
            client, endpoint, Service.echo, "you", headers={"Trace": "7"}, summary="greets"
        )
        assert await handle.result() == "you"
    described = await handle.describe()
    assert described.status == NexusOperationExecutionStatus.COMPLETED
    assert (described.endpoint, described.service) == (endpoint, "Service")
    assert (described.operation, described.attempt) == ("echo", 1)
    assert described.state_transition_count == 2
    assert described.close_time is not None
    assert await described.static_summary() == "greets"
    [request] = handler.requests
    assert request.headers["trace"] == "7"
    assert request.request_id == described.request_id
    [link] = request.inbound_links
    assert link.url == (
        f"temporal:///namespaces/default/nexus-operations/{handle.operation_id}/{handle.run_id}"
        "/details"
    )


async def test_a_handler_that_fails_is_asked_again(
    client: Client, queue: str, endpoint: str
) -> None:
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await start(client, endpoint, Service.unstable, "at last")
        assert await handle.result() == "at last"
    # It is the same request.
    assert len({request.request_id for request in handler.requests}) == 1
    assert (await handle.describe()).attempt == 2


async def test_a_failure_that_is_final_is_told(client: Client, queue: str, endpoint: str) -> None:
    async with serving(client, queue):
        for operation, argument, status in (
            (Service.fails, "FAILED", NexusOperationExecutionStatus.FAILED),
            (Service.fails, "CANCELED", NexusOperationExecutionStatus.CANCELED),
            (Service.refuses, "BAD_REQUEST", NexusOperationExecutionStatus.FAILED),
        ):
            handle = await start(client, endpoint, operation, argument)
            cause = await failure_of(handle)
            assert str(cause).endswith("no")
            described = await handle.describe()
            assert (described.status, described.attempt) == (status, 1)
            assert described.last_attempt_failure is not None


async def test_an_operation_may_stand_for_a_workflow(
    client: Client, queue: str, endpoint: str
) -> None:
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await start(client, endpoint, Service.works, "wait")
        request = PollNexusOperationExecutionRequest(
            namespace="default",
            operation_id=handle.operation_id,
            wait_stage=NexusOperationWaitStage.NEXUS_OPERATION_WAIT_STAGE_STARTED,
        )
        polled = await client.workflow_service.poll_nexus_operation_execution(request)
        assert polled.wait_stage == NexusOperationWaitStage.NEXUS_OPERATION_WAIT_STAGE_STARTED
        assert polled.operation_token and polled.WhichOneof("outcome") is None
        described = await handle.describe()
        assert described.state == PendingNexusOperationExecutionState.STARTED
        assert described.operation_token == polled.operation_token
        [link] = described.raw_description.links
        assert link.workflow_event.workflow_id == handler.works_ids[0]
        await client.get_workflow_handle(handler.works_ids[0]).signal(Works.go)
        assert await handle.result() == "worked on wait"

        failing = await start(client, endpoint, Service.works, "fail")
        cause = await failure_of(failing)
        assert isinstance(cause, ApplicationError)
        assert (cause.message, cause.type) == ("no", "Refused")
        # The completion says so, no attempt does.
        assert (await failing.describe()).last_attempt_failure is None


async def test_cancel_reaches_the_handler_and_terminate_does_not_wait(
    client: Client, queue: str, endpoint: str
) -> None:
    handler = Handler()
    async with serving(client, queue, handler):
        handle = await start(client, endpoint, Service.works, "wait")
        await handle.cancel(reason="enough")
        assert isinstance(await failure_of(handle), CancelledError)
        described = await handle.describe()
        assert described.status == NexusOperationExecutionStatus.CANCELED
        assert described.cancellation_info.reason == "enough"
        # The operation's end may overtake the answer to the request to cancel it.
        assert (described.cancellation_info.state, described.cancellation_info.attempt) in (
            (NexusOperationCancellationState.SUCCEEDED, 1),
            (NexusOperationCancellationState.SCHEDULED, 0),
        )

        handle = await start(client, endpoint, Service.works, "wait")
        await handle.terminate(reason="enough")
        cause = await failure_of(handle)
        assert isinstance(cause, TerminatedError)
        assert cause.message == "enough"
    with pytest.raises(RPCError) as refused:
        await handle.cancel()
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION


async def test_a_wish_to_stop_waits_until_the_operation_has_started(
    client: Client, queue: str, endpoint: str
) -> None:
    handle = await start(client, endpoint, Service.works, "wait")
    await handle.cancel()
    described = await handle.describe()
    assert described.state == PendingNexusOperationExecutionState.SCHEDULED
    assert described.cancellation_info.state == NexusOperationCancellationState.UNSPECIFIED
    with pytest.raises(RPCError) as refused:
        await handle.cancel()
    assert refused.value.status == RPCStatusCode.FAILED_PRECONDITION
    async with serving(client, queue):
        assert isinstance(await failure_of(handle), CancelledError)


@pytest.mark.parametrize("name", ["schedule_to_close_timeout", "schedule_to_start_timeout"])
async def test_an_operation_that_nobody_handles_times_out(
    client: Client, endpoint: str, name: str
) -> None:
    handle = await start(client, endpoint, Service.echo, "x", **{name: timedelta(seconds=2)})
    assert isinstance(await failure_of(handle), TimeoutError)
    described = await handle.describe()
    assert described.status == NexusOperationExecutionStatus.TIMED_OUT


async def test_an_operation_that_takes_too_long_times_out(
    client: Client, queue: str, endpoint: str
) -> None:
    async with serving(client, queue):
        handle = await start(
            client,
            endpoint,
            Service.works,
            "wait",
            start_to_close_timeout=timedelta(seconds=1),
        )
        cause = await failure_of(handle)
    assert isinstance(cause, TimeoutError)
    assert cause.type.name == "START_TO_CLOSE"


async def test_policies_say_what_a_used_id_means(client: Client, queue: str, endpoint: str) -> None:
    known = {"id": unique("operation")}
    handle = await start(client, endpoint, Service.echo, "one", **known)
    with pytest.raises(NexusOperationAlreadyStartedError) as refused:
        await start(client, endpoint, Service.echo, "two", **known)
    assert refused.value.run_id == handle.run_id
    joined = await start(
        client,
        endpoint,
        Service.echo,
        "two",
        **known,
        id_conflict_policy=NexusOperationIDConflictPolicy.USE_EXISTING,
    )
    assert joined.run_id == handle.run_id
    async with serving(client, queue):
        assert await joined.result() == "one"
        for policy in (
            NexusOperationIDReusePolicy.REJECT_DUPLICATE,
            NexusOperationIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        ):
            with pytest.raises(NexusOperationAlreadyStartedError):
                await start(client, endpoint, Service.echo, "two", **known, id_reuse_policy=policy)
        again = await start(client, endpoint, Service.echo, "two", **known)
        assert again.run_id != handle.run_id
        assert await again.result() == "two"
    # The earlier one is read by its own run id.
    assert await handle.result() == "one"


async def test_lists_of_operations_and_of_workflows_are_apart(
    client: Client, endpoint: str
) -> None:
    ids = {(await start(client, endpoint, Service.echo, "x")).operation_id for _ in range(3)}
    query = f"Endpoint = '{endpoint}' AND Service = 'Service' AND Operation = 'echo'"

    async def listed() -> bool:
        found = [operation async for operation in client.list_nexus_operations(query)]
        assert {(one.endpoint, one.service, one.operation) for one in found} <= {
            (endpoint, "Service", "echo")
        }
        return {one.operation_id for one in found} == ids

    await wait_for(listed, "three operations in the list")
    running = await client.count_nexus_operations(f"{query} AND ExecutionStatus = 'Running'")
    assert running.count == 3
    groups = (await client.count_nexus_operations(f"{query} GROUP BY ExecutionStatus")).groups
    assert [(group.count, list(group.group_values)) for group in groups] == [(3, ["Running"])]
    for operation_id in ids:
        assert (await client.count_nexus_operations(f"OperationId = '{operation_id}'")).count == 1
        assert (await client.count_workflows(f"WorkflowId = '{operation_id}'")).count == 0


async def test_a_description_waits_for_the_next_step(
    client: Client, queue: str, endpoint: str
) -> None:
    handle = await start(client, endpoint, Service.echo, "x")
    request = DescribeNexusOperationExecutionRequest(
        namespace="default", operation_id=handle.operation_id, run_id=handle.run_id
    )
    describe = client.workflow_service.describe_nexus_operation_execution
    first = await describe(request)
    request.long_poll_token = first.long_poll_token
    request.include_outcome = True
    waiting = asyncio.ensure_future(describe(request))
    async with serving(client, queue):
        changed = await waiting
    assert changed.info.state_transition_count > first.info.state_transition_count
    assert changed.WhichOneof("outcome") == "result"


async def test_a_deleted_operation_is_unknown(client: Client, endpoint: str) -> None:
    handle = await start(client, endpoint, Service.echo, "x")
    request = DeleteNexusOperationExecutionRequest(
        namespace="default", operation_id=handle.operation_id
    )
    await client.workflow_service.delete_nexus_operation_execution(request)

    async def is_gone() -> bool:
        try:
            await handle.describe()
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return False

    await wait_for(is_gone, "the end of a deleted operation")


async def test_operations_survive_a_kill(tmp_path: Path, queue: str) -> None:
    with Server(db_filename=tmp_path / "server.db") as server:
        client = await Client.connect(server.address)
        endpoint = await endpoint_of(client, queue)
        handler = Handler()
        async with serving(client, queue, handler):
            done = await start(client, endpoint, Service.echo, "done")
            assert await done.result() == "done"
            started = await start(client, endpoint, Service.works, "wait")

            async def is_started() -> bool:
                return (await started.describe()).operation_token is not None

            await wait_for(is_started, "an operation that has started")
        waiting = await start(client, endpoint, Service.echo, "waiting")
        server.restart_after_kill()
        client = await Client.connect(server.address)
        found = [client.get_nexus_operation_handle(one.operation_id) for one in (done, waiting)]
        assert await found[0].result() == "done"
        async with serving(client, queue):
            assert await found[1].result() == "waiting"
            await client.get_workflow_handle(handler.works_ids[0]).signal(Works.go)
            ended = client.get_nexus_operation_handle(started.operation_id)
            assert await ended.result() == "worked on wait"
