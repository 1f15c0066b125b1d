"""Cedar policies: what they forbid and permit, how they change, and how they only watch."""

import subprocess
from collections.abc import Awaitable
from contextlib import asynccontextmanager

import grpc
import pytest
from temporalio import workflow
from temporalio.api.batch.v1 import BatchOperationSignal, BatchOperationTermination
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.errordetails.v1 import PermissionDeniedFailure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WithStartWorkflowOperation,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from harness.policies import RuledServer
from harness.raw import Raw, detail_of, refusal_of, start_child, start_fields
from harness.sdk import SECOND, unique, worker
from harness.server import executable
from harness.tokens import SigningKey
from harness.waiting import wait_for

QUEUE = "approvals"

SHOP = """
@id("type-and-queue")
forbid (principal == Principal::"jwt:shop", action in Action::"starts", resource)
unless {
    context has workflowType && context.workflowType == "Approval" &&
    context has taskQueue && context.taskQueue == "approvals"
};

@id("signals")
forbid (principal == Principal::"jwt:shop", action == Action::"SignalWorkflowExecution", resource)
unless { context has signalName && context.signalName == "approve" };

@id("updates")
forbid (principal == Principal::"jwt:shop", action == Action::"UpdateWorkflowExecution", resource)
unless { context has updateName && context.updateName == "note" };

@id("queries")
forbid (principal == Principal::"jwt:shop", action == Action::"QueryWorkflow", resource)
unless { context has queryName && context.queryName == "notes" };

@id("endings")
forbid (
    principal == Principal::"jwt:shop",
    action == Action::"TerminateWorkflowExecution",
    resource
);
"""


@workflow.defn
class Approval:
    """Waits until it is approved."""

    def __init__(self) -> None:
        self.approved, self.noted = False, []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.approved)
        return self.noted

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.signal
    def reject(self) -> None:
        raise RuntimeError("nobody may send this")

    @workflow.update
    def note(self, text: str) -> None:
        self.noted.append(text)

    @workflow.update
    def erase(self, text: str) -> None:
        self.noted.remove(text)

    @workflow.query
    def notes(self) -> list[str]:
        return self.noted

    @workflow.query
    def secrets(self) -> list[str]:
        return self.noted


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture
def raw():
    """Makes raw clients, and closes them."""
    clients = []

    def make(server: RuledServer) -> Raw:
        clients.append(Raw(server.address))
        return clients[-1]

    yield make
    for client in clients:
        client.channel.close()


def bearer(token: str) -> tuple:
    return (("authorization", f"Bearer {token}"),)


async def denied(call: Awaitable) -> bool:
    """Whether a call is refused, as every call is that somebody may not make."""
    try:
        await call
    except RPCError as error:
        assert error.status == RPCStatusCode.PERMISSION_DENIED, error
        assert error.message == "Request unauthorized.", error.message
        return True
    return False


async def starts(client: Client, kind: str = "Approval", queue: str = QUEUE) -> bool:
    """Whether a start goes through."""
    return not await denied(client.start_workflow(kind, id=unique("w"), task_queue=queue))


@asynccontextmanager
async def working(server: RuledServer):
    """A worker of a caller that no policy speaks of."""
    client = await server.client("worker", "default:worker")
    async with worker(client, QUEUE, [Approval]):
        yield


async def test_a_caller_starts_one_type_on_one_queue_and_signals_one_name(
    key: SigningKey, tmp_path
):
    with RuledServer(tmp_path / "ruled", key, SHOP) as server:
        shop = await server.client("shop", "default:write")
        other = await server.client("other", "default:write")
        async with working(server):
            handle = await shop.start_workflow(Approval.run, id=unique("a"), task_queue=QUEUE)
            assert not await starts(shop, "Payment")
            assert not await starts(shop, queue="elsewhere")
            assert await starts(other, "Payment", "elsewhere")
            assert await denied(handle.signal(Approval.reject))
            assert await denied(handle.execute_update(Approval.erase, "x"))
            assert await denied(handle.query(Approval.secrets))
            assert await denied(handle.terminate())
            await handle.execute_update(Approval.note, "fine")
            assert await handle.query(Approval.notes) == ["fine"]
            await handle.signal(Approval.approve)
            assert await handle.result() == ["fine"]


async def test_what_does_several_things_at_once_is_decided_by_each(key: SigningKey, tmp_path):
    with RuledServer(tmp_path / "ruled", key, SHOP) as server:
        shop = await server.client("shop", "default:write")

        async def signal_with_start(kind: str, signal: str) -> bool:
            start = shop.start_workflow(kind, id=unique("w"), task_queue=QUEUE, start_signal=signal)
            return not await denied(start)

        assert await signal_with_start("Approval", "approve")
        assert not await signal_with_start("Approval", "reject")
        assert not await signal_with_start("Payment", "approve")

        async def update_with_start(kind: str, update: str) -> bool:
            start = WithStartWorkflowOperation(
                kind,
                id=unique("w"),
                task_queue=QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            )
            call = shop.execute_update_with_start_workflow(
                update, "x", start_workflow_operation=start
            )
            return not await denied(call)

        async with working(server):
            assert await update_with_start("Approval", "note")
            assert not await update_with_start("Approval", "erase")
            assert not await update_with_start("Payment", "note")

        async def schedule(kind: str) -> bool:
            action = ScheduleActionStartWorkflow(kind, id=unique("w"), task_queue=QUEUE)
            every = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=3600 * SECOND)])
            return not await denied(
                shop.create_schedule(unique("s"), Schedule(action=action, spec=every))
            )

        assert await schedule("Approval")
        assert not await schedule("Payment")
        # To end what runs under the id is a termination, whatever it is called.
        ends = shop.start_workflow(
            "Approval",
            id=unique("w"),
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )
        assert await denied(ends)


ANOTHER_RUNS = "Max concurrent batch operations is reached"


def test_a_batch_is_decided_by_its_operation_and_each_that_it_names(key: SigningKey, tmp_path, raw):
    rules = (
        SHOP
        + """
    forbid (principal, action in Action::"write", resource)
    when { context has workflowId && context.workflowId like "secret-*" };
    """
    )
    with RuledServer(tmp_path / "ruled", key, rules) as server:
        client, shop = raw(server), bearer(server.token("shop", "default:write"))

        def batch(*ids: str, **operation) -> str:
            fields = {"job_id": unique("job"), "reason": "test"} | operation
            if ids:
                fields["executions"] = [WorkflowExecution(workflow_id=name) for name in ids]
            else:
                fields["visibility_query"] = "WorkflowType = 'Approval'"
            while True:
                try:
                    client.call("StartBatchOperation", metadata=shop, **fields)
                except grpc.RpcError as error:
                    text = refusal_of(error).text
                    if text != ANOTHER_RUNS:
                        return text
                else:
                    return "OK"

        def signals(name: str) -> dict:
            return {"signal_operation": BatchOperationSignal(signal=name)}

        no = "Request unauthorized."
        assert batch("a", "b", **signals("approve")) == "OK"
        assert batch(**signals("approve")) == "OK"
        assert batch("a", **signals("reject")) == no
        assert batch("a", "secret-1", **signals("approve")) == no
        assert batch("a", termination_operation=BatchOperationTermination()) == no


def test_a_denial_looks_as_the_reference_s(key: SigningKey, tmp_path, raw):
    with RuledServer(tmp_path / "ruled", key, SHOP) as server:
        shop = bearer(server.token("shop", "default:write"))
        error = raw(server).error(
            "StartWorkflowExecution", metadata=shop, **start_fields(QUEUE, unique("w"))
        )
        assert refusal_of(error).code == "PERMISSION_DENIED"
        assert refusal_of(error).text == "Request unauthorized."
        assert detail_of(error, PermissionDeniedFailure) == PermissionDeniedFailure()


def test_commands_towards_another_namespace_are_decided_by_what_they_name_there(
    key: SigningKey, tmp_path, raw
):
    rules = """
    forbid (principal, action in Action::"starts", resource == Namespace::"other")
    when { context has workflowType && context.workflowType == "child" };
    """
    with RuledServer(tmp_path / "ruled", key, rules) as server:
        client = raw(server)
        writer = bearer(server.token("writer", "default:write", "other:write"))
        texts = []
        for kind in ("child", "allowed"):
            queue = unique("queue")
            client.call(
                "StartWorkflowExecution", metadata=writer, **start_fields(queue, unique("w"))
            )
            task = client.call(
                "PollWorkflowTaskQueue",
                metadata=writer,
                task_queue=TaskQueue(name=queue),
                identity="x",
            )
            child = start_child(
                unique("c"), queue, namespace="other", workflow_type=WorkflowType(name=kind)
            )
            error = client.error(
                "RespondWorkflowTaskCompleted",
                metadata=writer,
                task_token=task.task_token,
                commands=[child],
                identity="x",
            )
            texts.append(refusal_of(error).text)
        assert texts[0] == "Request unauthorized."
        # The engine refuses it for now, whoever asks.
        assert texts[1] != "Request unauthorized."


async def test_a_worker_is_kept_to_its_queue_and_its_workflows(key: SigningKey, tmp_path, raw):
    rules = """
    forbid (principal == Principal::"jwt:worker", action in Action::"worker", resource)
    when { context has taskQueue && context.taskQueue != "approvals" };
    forbid (principal == Principal::"jwt:worker", action in Action::"worker", resource)
    when { context has workflowId && context.workflowId like "other-*" };
    """
    with RuledServer(tmp_path / "ruled", key, rules) as server:
        client, own = raw(server), bearer(server.token("worker", "default:worker"))
        writer = bearer(server.token("writer", "default:write"))

        def poll(queue: str, metadata: tuple):
            fields = {"task_queue": TaskQueue(name=queue), "identity": "x"}
            return client.call("PollWorkflowTaskQueue", metadata=metadata, **fields)

        with pytest.raises(grpc.RpcError) as refused:
            poll("elsewhere", own)
        assert refusal_of(refused.value).text == "Request unauthorized."
        for name, expected in (("other-1", "Request unauthorized."), ("mine-1", None)):
            fields = start_fields(QUEUE, name)
            client.call("StartWorkflowExecution", metadata=writer, **fields)
            # A token says whose task it is.
            token = poll(QUEUE, own).task_token
            answer = {"task_token": token, "identity": "x"}
            if expected:
                error = client.error("RespondWorkflowTaskCompleted", metadata=own, **answer)
                assert refusal_of(error).text == expected
            else:
                client.call("RespondWorkflowTaskCompleted", metadata=own, **answer)


def test_the_cli_is_decided_about_as_everybody(key: SigningKey, tmp_path, cli):
    with RuledServer(tmp_path / "ruled", key, SHOP) as server:

        def run(*words: str):
            return cli(
                "workflow",
                *words,
                "--address",
                server.address,
                "--tls=false",
                TEMPORAL_API_KEY=server.token("shop", "default:write"),
            )

        def start(kind: str, name: str):
            return run("start", "--type", kind, "--task-queue", QUEUE, "-w", name)

        assert start("Approval", "by-cli").returncode == 0
        refused = start("Payment", "no")
        assert refused.returncode == 1 and "Request unauthorized." in refused.stderr
        assert run("signal", "-w", "by-cli", "--name", "approve").returncode == 0
        refused = run("signal", "-w", "by-cli", "--name", "reject")
        assert refused.returncode == 1 and "Request unauthorized." in refused.stderr
        query = ("--query", "WorkflowId = 'by-cli'", "--reason", "test", "--yes")
        refused = run("signal", "--name", "reject", *query)
        assert refused.returncode == 1 and "Request unauthorized." in refused.stderr


async def test_policies_permit_what_no_role_does_only_when_they_may(key: SigningKey, tmp_path):
    rules = """
    permit (principal == Principal::"jwt:reader", action in Action::"starts", resource)
    when { context has workflowType && context.workflowType == "Approval" };
    forbid (principal, action, resource)
    when { context has taskQueue && context.taskQueue == "no" };
    """
    for may_permit in (True, False):
        folder = tmp_path / str(may_permit)
        with RuledServer(folder, key, rules, mayPermit=may_permit) as server:
            reader = await server.client("reader", "default:read")
            assert await starts(reader) == may_permit
            assert not await starts(reader, "Payment")
            assert not await starts(reader, queue="no")
            warned = "policies that permit do nothing" in server.log.read_text()
            assert warned != may_permit


async def test_new_files_hold_from_the_next_call_on_and_broken_ones_never(
    key: SigningKey, tmp_path
):
    with RuledServer(tmp_path / "ruled", key, SHOP) as server:
        client = await server.client("other", "default:write")
        assert await starts(client)
        server.write('@id("stop") forbid (principal, action in Action::"starts", resource);')
        await wait_for(lambda: refuses(client), "the new policies")
        failures = "longtide_policy_load_failures"
        for number, broken in enumerate(
            (
                "forbid (principal, action",
                'forbid (principal, action == Action::"StartWorkflow", resource);',
                'forbid (principal, action, resource) when { context.workflowType == "x" };',
            ),
            start=1,
        ):
            before = server.counted(failures)
            server.write(broken)
            await wait_for(
                lambda before=before: server.counted(failures) > before, "a failure is counted"
            )
            assert not await starts(client)
            log = server.log.read_text()
            assert log.count("policies are not taken; the former ones stay") == number
        # A folder that is empty all at once was not emptied to let everybody in.
        before = server.counted(failures)
        (server.rules / "rules.cedar").unlink()
        await wait_for(lambda: server.counted(failures) > before, "a failure is counted")
        assert not await starts(client)
        server.write("")
        await wait_for(lambda: starts(client), "no policies")
        server.stop()
        server.write("forbid (principal")
        told = server.refuses_to_start()
        assert "global.authorization.policies" in told and "rules.cedar" in told


async def refuses(client: Client) -> bool:
    return not await starts(client)


async def test_in_the_shadow_nothing_is_decided_and_all_is_told(key: SigningKey, tmp_path):
    rules = (
        SHOP
        + """
    permit (principal == Principal::"jwt:reader", action in Action::"starts", resource);
    """
    )
    folder = tmp_path / "ruled"
    with RuledServer(folder, key, rules, mode="shadow", mayPermit=True) as server:
        shop = await server.client("shop", "default:write")
        reader = await server.client("reader", "default:read")
        assert await starts(shop)
        assert server.counted("longtide_policy_shadow_denials") == 0
        assert await starts(shop, "Payment")
        start = shop.start_workflow("Payment", id="x", task_queue=QUEUE, start_signal="reject")
        assert not await denied(start)
        assert not await starts(reader)
        # Two calls, though three policies speak of the second.
        assert server.counted("longtide_policy_shadow_denials") == 2
        assert server.counted("longtide_policy_shadow_permits") == 1
        log = server.log.read_text()
        assert log.count("would have been denied") == 2
        assert log.count("would have been permitted") == 1
        assert "rules.cedar/type-and-queue" in log


def auth(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable(), "auth", *words], capture_output=True, text=True, timeout=30
    )


def test_explain_tells_which_policy_decides_and_files_are_checked_before(key: SigningKey, tmp_path):
    server = RuledServer(tmp_path / "ruled", key, SHOP)
    server._write()

    def explain(rpc: str, *words: str) -> str:
        who = ("--principal", "jwt:shop", "--permission", "default:write")
        config = ("--config", str(server.configuration), "--namespace", "default")
        done = auth("explain", *config, *who, "--rpc", rpc, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    on_queue = ("--task-queue", QUEUE)
    told = explain("StartWorkflowExecution", "--workflow-type", "Payment", *on_queue)
    assert "policies: `rules.cedar/type-and-queue` forbids it\n" in told
    assert 'context.workflowType == "Approval"' in told
    assert "DENIED: rule `rules.cedar/type-and-queue` forbids" in told
    told = explain("StartWorkflowExecution", "--workflow-type", "Approval", *on_queue)
    assert "ALLOWED: default:write" in told
    names = ("--workflow-type", "Approval", *on_queue, "--signal-name", "reject")
    told = explain("SignalWithStartWorkflowExecution", *names)
    assert "policies: `rules.cedar/signals` forbids its part SignalWorkflowExecution" in told
    assert "DENIED: rule `rules.cedar/signals` forbids" in told
    told = explain("StartBatchOperation", "--part", "TerminateWorkflowExecution")
    assert "`rules.cedar/endings` forbids its part TerminateWorkflowExecution" in told
    schema = auth("policy-schema").stdout
    assert 'action "StartWorkflowExecution" in ["write", "on-namespace", "starts"]' in schema
    assert '"signalName"?: String' in schema
    done = auth("policy-check", str(server.rules))
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "5 policies")
    server.write('forbid (principal, action == Action::"Strat", resource);', "more.cedar")
    done = auth("policy-check", str(server.rules))
    assert done.returncode == 1 and "Strat" in done.stderr
