"""Policies about calls that do not say themselves what they act on: patches of schedules, and
batch operations whose query finds it."""

import json
import subprocess
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.batch.v1 import BatchOperationSignal, BatchOperationTermination
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import BatchOperationState, EventType
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from harness.batches import start_in_turn
from harness.policies import RuledServer
from harness.sdk import unique, worker
from harness.server import executable
from harness.tokens import SigningKey
from harness.waiting import wait_for

QUEUE = "queue"

ONE_TYPE = """
@id("one-type")
forbid (principal == Principal::"jwt:shop", action in Action::"starts", resource)
unless { context has workflowType && context.workflowType == "Allowed" };
"""

NO_SECRETS = """
@id("no-secrets")
forbid (principal == Principal::"jwt:shop", action in Action::"write", resource)
when { context has workflowId && context.workflowId like "secret-*" };
"""


@workflow.defn
class Waits:
    """Waits until it may go."""

    def __init__(self) -> None:
        self.may_go = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.may_go)

    @workflow.signal
    def go(self) -> None:
        self.may_go = True


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


async def denied(call) -> bool:
    """Whether a call is refused, as every call is that somebody may not make."""
    try:
        await call
    except RPCError as error:
        assert error.status == RPCStatusCode.PERMISSION_DENIED, error
        assert error.message == "Request unauthorized.", error.message
        return True
    return False


async def scheduled(client: Client, kind: str) -> ScheduleHandle:
    """A paused schedule of workflows of this type."""
    action = ScheduleActionStartWorkflow(kind, id=unique("w"), task_queue=QUEUE)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
    schedule = Schedule(action=action, spec=spec, state=ScheduleState(paused=True))
    return await client.create_schedule(unique("s"), schedule)


def backfill() -> ScheduleBackfill:
    """Two hours of yesterday."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return ScheduleBackfill(start_at=start, end_at=start + timedelta(hours=2))


async def test_a_patch_of_a_schedule_is_decided_by_what_it_starts(key: SigningKey, tmp_path):
    with RuledServer(tmp_path / "ruled", key, ONE_TYPE) as server:
        shop = await server.client("shop", "default:write")
        other = await server.client("other", "default:write")
        for kind, refused in (("Allowed", False), ("Payment", True)):
            made = await scheduled(other, kind)
            mine = shop.get_schedule_handle(made.id)
            assert await denied(mine.trigger()) == refused
            assert await denied(mine.backfill(backfill())) == refused
            assert await denied(mine.unpause()) == refused
            # What starts nothing is the schedule's own.
            assert not await denied(mine.pause())
            assert not await denied(made.trigger())
            ran = 1 if refused else 1 + 1 + 2

            async def has_run(made=made, ran=ran) -> bool:
                info = (await made.describe()).info
                return info.num_actions + info.num_actions_skipped_overlap >= ran

            await wait_for(has_run, "what was allowed has run")
            info = (await made.describe()).info
            assert info.num_actions + info.num_actions_skipped_overlap <= ran + 1


async def test_what_a_schedule_starts_counts_as_it_is_now(key: SigningKey, tmp_path):
    with RuledServer(tmp_path / "ruled", key, ONE_TYPE) as server:
        shop = await server.client("shop", "default:write")
        other = await server.client("other", "default:write")
        made = await scheduled(other, "Allowed")
        mine = shop.get_schedule_handle(made.id)
        assert not await denied(mine.trigger())

        def to_payment(update) -> ScheduleUpdate:
            update.description.schedule.action.workflow = "Payment"
            return ScheduleUpdate(schedule=update.description.schedule)

        await made.update(to_payment)
        assert await denied(mine.trigger())


class Batches:
    """Batch operations of one caller."""

    def __init__(self, client: Client) -> None:
        self.service = client.workflow_service

    async def start(self, **fields) -> str:
        """Starts one and gives its id."""
        job_id = str(uuid.uuid4())
        request = messages.StartBatchOperationRequest(
            namespace="default", job_id=job_id, reason="test", **fields
        )
        await start_in_turn(self.service, request)
        return job_id

    async def ended(self, job_id: str) -> messages.DescribeBatchOperationResponse:
        """How it ended."""

        async def look():
            request = messages.DescribeBatchOperationRequest(namespace="default", job_id=job_id)
            found = await self.service.describe_batch_operation(request)
            running = BatchOperationState.BATCH_OPERATION_STATE_RUNNING
            return None if found.state == running else found

        return await wait_for(look, "the end of the batch operation", 60)


def counts(found: messages.DescribeBatchOperationResponse) -> tuple[int, int, int]:
    """All, done, failed."""
    return (
        found.total_operation_count,
        found.complete_operation_count,
        found.failure_operation_count,
    )


async def waiting(client: Client, prefix: str, names: list[str]) -> list[WorkflowHandle]:
    """Runs of these ids, once lists show them."""
    handles = [
        await client.start_workflow(Waits.run, id=f"{name}-{prefix}", task_queue=QUEUE)
        for name in names
    ]

    async def listed() -> bool:
        return (await client.count_workflows(found_by(prefix))).count == len(names)

    await wait_for(listed, "all runs in the list")
    return handles


def found_by(prefix: str) -> str:
    """A query that finds runs whatever their ids begin with."""
    ids = ", ".join(f"'{name}-{prefix}'" for name in NAMES)
    return f"WorkflowId IN ({ids})"


NAMES = ["open-1", "open-2", "secret-1", "secret-2", "open-3"]


def audited(server: RuledServer) -> Path:
    """Lets a server keep an audit log, and gives its folder."""
    folder, signs = server.folder / "audit", server.folder / "audit.key"
    made = subprocess.run(
        [executable(), "audit", "key", "create", str(signs)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert made.returncode == 0, made.stderr
    server.settings["audit"] = {"directory": str(folder), "key_file": str(signs)}
    return folder


def records(folder: Path) -> list[dict]:
    """What an audit log holds."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.open()]
    return [json.loads(line) for line in lines]


async def statuses(handles: list[WorkflowHandle]) -> list[str]:
    return [(await handle.describe()).status.name for handle in handles]


async def test_a_batch_by_query_leaves_alone_what_its_caller_may_not_touch(
    key: SigningKey, tmp_path
):
    server = RuledServer(tmp_path / "ruled", key, NO_SECRETS)
    folder = audited(server)
    with server:
        shop = await server.client("shop", "default:write")
        other = await server.client("other", "default:write")
        prefix = unique("p")
        handles = await waiting(other, prefix, NAMES)
        mine = Batches(shop)
        job_id = await mine.start(
            visibility_query=found_by(prefix), termination_operation=BatchOperationTermination()
        )
        found = await mine.ended(job_id)
        assert found.state == BatchOperationState.BATCH_OPERATION_STATE_COMPLETED
        assert counts(found) == (5, 3, 2)
        ended, running = "TERMINATED", "RUNNING"
        assert await statuses(handles) == [ended, ended, running, running, ended]
        # Whoever asked for the batch is on the events that come of it.
        history = await handles[0].fetch_history()
        last = history.events[-1]
        assert last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
        assert (last.principal.type, last.principal.name) == ("jwt", "shop")

        def refusals() -> list[dict]:
            rpc = "StartBatchOperation"
            return [
                it for it in records(folder) if it.get("rpc") == rpc and it["decision"] == "denied"
            ]

        await wait_for(lambda: len(refusals()) == 2, "the audit log has both")
        for it in refusals():
            assert it["principal"] == {"kind": "jwt", "name": "shop"}
            assert it["rule"] == "policy `rules.cedar/no-secrets` forbids it"
            assert it["target"]["job_id"] == job_id
        names = {it["target"]["workflow_id"] for it in refusals()}
        assert names == {f"secret-1-{prefix}", f"secret-2-{prefix}"}
        # Somebody of whom no policy speaks may.
        theirs = Batches(other)
        again = await theirs.start(
            visibility_query=found_by(prefix), termination_operation=BatchOperationTermination()
        )
        assert counts(await theirs.ended(again)) == (2, 2, 0)


async def test_a_batch_is_its_caller_s_after_a_crash_too(key: SigningKey, tmp_path):
    with RuledServer(tmp_path / "ruled", key, NO_SECRETS) as server:
        other = await server.client("other", "default:write")
        shop = await server.client("shop", "default:write")
        prefix = unique("p")
        handles = await waiting(other, prefix, NAMES)
        mine = Batches(shop)
        # Slow enough that most of it is still to be done.
        job_id = await mine.start(
            visibility_query=found_by(prefix),
            signal_operation=BatchOperationSignal(signal="go"),
            max_operations_per_second=1,
        )
        server.kill()
        server.start()
        shop = await server.client("shop", "default:write")
        found = await Batches(shop).ended(job_id)
        assert counts(found) == (5, 3, 2)
        async with working(server):
            client = await server.client("other", "default:read")
            again = [client.get_workflow_handle(handle.id) for handle in handles]

            async def gone() -> bool:
                return (await statuses(again)).count("COMPLETED") == 3

            await wait_for(gone, "those that were let go")
            signalled = [
                any(
                    event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
                    for event in (await handle.fetch_history()).events
                )
                for handle in again
            ]
            assert signalled == [True, True, False, False, True]


@asynccontextmanager
async def working(server: RuledServer):
    """A worker of a caller that no policy speaks of."""
    client = await server.client("worker", "default:worker")
    async with worker(client, QUEUE, [Waits]):
        yield


async def test_new_policies_hold_for_what_a_batch_has_not_come_to(key: SigningKey, tmp_path):
    with RuledServer(tmp_path / "ruled", key, "") as server:
        shop = await server.client("shop", "default:write")
        prefix = unique("p")
        await waiting(shop, prefix, NAMES)
        mine = Batches(shop)
        job_id = await mine.start(
            visibility_query=found_by(prefix),
            termination_operation=BatchOperationTermination(),
            max_operations_per_second=1,
        )
        server.write('@id("stop") forbid (principal, action in Action::"write", resource);')
        await wait_for(lambda: refuses(shop), "the new policies")
        total, done, failed = counts(await mine.ended(job_id))
        assert (total, done + failed) == (5, 5)
        assert failed >= 2


async def refuses(client: Client) -> bool:
    return await denied(client.start_workflow(Waits.run, id=unique("w"), task_queue=QUEUE))


async def test_policies_speak_of_the_query_of_a_batch(key: SigningKey, tmp_path):
    rules = """
    @id("no-queries")
    forbid (principal == Principal::"jwt:shop", action == Action::"StartBatchOperation", resource)
    when { context has visibilityQuery };
    @id("one-query")
    forbid (principal == Principal::"jwt:clerk", action == Action::"StartBatchOperation", resource)
    unless { context has visibilityQuery && context.visibilityQuery == "WorkflowType = 'Waits'" };
    """
    with RuledServer(tmp_path / "ruled", key, rules) as server:
        ends = {"termination_operation": BatchOperationTermination()}
        shop = Batches(await server.client("shop", "default:write"))
        named = [WorkflowExecution(workflow_id="x")]
        assert await denied(shop.start(visibility_query="WorkflowId = 'x'", **ends))
        assert not await denied(shop.start(executions=named, **ends))
        clerk = Batches(await server.client("clerk", "default:write"))
        assert await denied(clerk.start(visibility_query="WorkflowId = 'x'", **ends))
        assert await denied(clerk.start(executions=named, **ends))
        assert not await denied(clerk.start(visibility_query="WorkflowType = 'Waits'", **ends))
