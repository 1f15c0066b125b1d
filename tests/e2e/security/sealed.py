"""Workflows that say a secret wherever a payload or a failure can stand, and who may not see it."""

import base64
import os
from array import array
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import nexusrpc
import nexusrpc.handler
import pytest
from temporalio import activity, nexus, workflow
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from harness.sdk import unique, worker
from harness.server import Server

SECRET = "canary-b1e7-tide"
SOON = timedelta(seconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


def told(of: str) -> str:
    """The secret, so that a leak says where it came from."""
    return f"{SECRET}-{of}"


@activity.defn
async def doubles(text: str) -> str:
    activity.heartbeat(told("heartbeat"))
    return text * 2


@activity.defn
async def fails(text: str) -> None:
    try:
        raise ValueError(told("cause"))
    except ValueError as cause:
        raise ApplicationError(text, told("details"), type="Refused") from cause


@nexusrpc.service
class Service:
    echo: nexusrpc.Operation[str, str]
    refuses: nexusrpc.Operation[str, str]
    starts: nexusrpc.Operation[str, str]


@nexusrpc.handler.service_handler(service=Service)
class Handler:
    @nexusrpc.handler.sync_operation
    async def echo(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        return text

    @nexusrpc.handler.sync_operation
    async def refuses(self, ctx: nexusrpc.handler.StartOperationContext, text: str) -> str:
        raise nexusrpc.OperationError(told("operation"), state=nexusrpc.OperationErrorState.FAILED)

    @nexus.workflow_run_operation
    async def starts(
        self, ctx: nexus.WorkflowRunOperationContext, text: str
    ) -> nexus.WorkflowHandle[str]:
        return await ctx.start_workflow(Child.run, text, id=unique("operation"))


@workflow.defn
class Child:
    @workflow.run
    async def run(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError(told("child"))
        return f"{text}!"


async def message_of(awaited) -> str:
    """What the innermost failure of something says."""
    try:
        await awaited
    except Exception as error:
        while error.__cause__ is not None:
            error = error.__cause__
        return str(error)
    raise AssertionError("it did not fail")


@workflow.defn
class Secretive:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, text: str, endpoint: str) -> dict[str, str]:
        workflow.upsert_memo({"upserted": told("upserted")})
        workflow.set_current_details(told("current"))
        said = {"input": text}
        said["activity"] = await workflow.execute_activity(
            doubles, told("argument"), start_to_close_timeout=SOON, summary=told("summary")
        )
        said["failure"] = await message_of(
            workflow.execute_activity(
                fails, told("failure"), start_to_close_timeout=SOON, retry_policy=ONCE
            )
        )
        said["local"] = await workflow.execute_local_activity(
            doubles, told("local"), start_to_close_timeout=SOON
        )
        said["local failure"] = await message_of(
            workflow.execute_local_activity(
                fails, told("local failure"), start_to_close_timeout=SOON, retry_policy=ONCE
            )
        )
        said["child"] = await workflow.execute_child_workflow(
            Child.run, told("child"), memo={"child": told("memo of child")}
        )
        said["child failure"] = await message_of(
            workflow.execute_child_workflow(Child.run, "fail", retry_policy=ONCE)
        )
        client = workflow.create_nexus_client(service=Service, endpoint=endpoint)
        said["nexus"] = await client.execute_operation(Service.echo, told("nexus"))
        said["nexus workflow"] = await client.execute_operation(Service.starts, told("started"))
        said["nexus failure"] = await message_of(
            client.execute_operation(Service.refuses, told("refused"))
        )
        await workflow.sleep(0.01, summary=told("timer"))
        await workflow.wait_condition(lambda: bool(self.signals))
        said["signal"] = self.signals[0]
        return said

    @workflow.signal
    def tell(self, text: str) -> None:
        self.signals.append(text)

    @workflow.query
    def ask(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError(told("query"))
        return f"{text} {self.signals}"

    @workflow.update
    async def change(self, text: str) -> str:
        if text == "fail":
            raise ApplicationError(told("update"))
        return f"{text}?"

    @change.validator
    def may_change(self, text: str) -> None:
        if text == "refuse":
            raise ValueError(told("validator"))


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, text: str) -> None:
        raise ApplicationError(text, told("details of the end"))


async def tells_secrets(client: Client) -> WorkflowHandle:
    """Everything that can be secret is said by clients and workers of `client`, and heard."""
    queue, endpoint = unique("queue"), unique("endpoint")
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=queue))
    await client.operator_service.create_nexus_endpoint(
        CreateNexusEndpointRequest(spec=EndpointSpec(name=endpoint, target=target))
    )
    workflows, activities = [Secretive, Child, Fails], [doubles, fails]
    handlers = [Handler()]
    async with worker(client, queue, workflows, activities, nexus_service_handlers=handlers):
        handle = await client.start_workflow(
            Secretive.run,
            args=[told("input"), endpoint],
            id=unique("secretive"),
            task_queue=queue,
            memo={"note": told("memo")},
            static_summary=told("static summary"),
            static_details=told("static details"),
        )
        assert await handle.execute_update(Secretive.change, told("update")) == told("update?")
        for argument, expected in (("fail", "update"), ("refuse", "validator")):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update(Secretive.change, argument)
            assert told(expected) in str(refused.value.cause)
        await handle.signal(Secretive.tell, told("signal"))
        said = await handle.result()
        assert said == {
            "input": told("input"),
            "activity": told("argument") * 2,
            "failure": f"ValueError: {told('cause')}",
            "local": told("local") * 2,
            "local failure": f"ValueError: {told('cause')}",
            "child": told("child!"),
            "child failure": told("child"),
            "nexus": told("nexus"),
            "nexus workflow": told("started!"),
            "nexus failure": said["nexus failure"],
            "signal": told("signal"),
        }
        assert told("operation") in said["nexus failure"]
        answer = await handle.query(Secretive.ask, told("question"))
        assert answer == f"{told('question')} ['{told('signal')}']"
        with pytest.raises(WorkflowQueryFailedError, match=told("query")):
            await handle.query(Secretive.ask, "fail")
        description = await handle.describe()
        assert await description.memo() == {"note": told("memo"), "upserted": told("upserted")}
        assert await description.static_summary() == told("static summary")
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(
                Fails.run, told("end"), id=unique("fails"), task_queue=queue
            )
        assert failed.value.cause.message == told("end")
        assert failed.value.cause.details == (told("details of the end"),)
        await by_schedule(client, queue)
    return handle


async def by_schedule(client: Client, queue: str) -> None:
    """A schedule's workflow has an input and a memo, too."""
    action = ScheduleActionStartWorkflow(
        Child.run,
        told("scheduled"),
        id=unique("scheduled"),
        task_queue=queue,
        memo={"note": told("memo of schedule")},
    )
    schedule = await client.create_schedule(
        unique("schedule"), Schedule(action=action, spec=ScheduleSpec()), memo={"x": told("of it")}
    )
    described = await schedule.describe()
    assert await described.memo_value("x") == told("of it")
    await schedule.delete()


def spellings(text: str) -> list[bytes]:
    """A text as it may stand among others: as it is, and in base64 wherever it begins."""
    plain = text.encode()
    encoded = [base64.b64encode(bytes(n) + plain) for n in range(3)]
    # The first and last characters depend on what stands around.
    inner = [piece[(4 * n + 2) // 3 + 1 : -4] for n, piece in enumerate(encoded)]
    return [plain, *inner, text.encode("utf-16-le"), plain.hex().encode()]


def found_in(data: bytes, text: str) -> list[str]:
    """What stands around a text in data."""
    places = [data.find(spelling) for spelling in spellings(text)]
    return [repr(data[max(0, at - 40) : at + 80]) for at in places if at >= 0]


def memory_of(pid: int) -> bytes:
    """All memory of a process that it has written to."""
    page = os.sysconf("SC_PAGE_SIZE")
    is_there = 1 << 63 | 1 << 62  # in memory, or swapped out
    pieces = []
    with (
        open(f"/proc/{pid}/maps") as maps,
        open(f"/proc/{pid}/mem", "rb", 0) as memory,
        open(f"/proc/{pid}/pagemap", "rb", 0) as pages,
    ):
        for line in maps:
            region, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            begin, end = (int(part, 16) for part in region.split("-"))
            pages.seek(begin // page * 8)
            known = array("Q", pages.read((end - begin) // page * 8))
            for there, run in groupby(enumerate(known), lambda it: bool(it[1] & is_there)):
                numbers = [number for number, _ in run]
                if there:
                    memory.seek(begin + numbers[0] * page)
                    pieces.append(memory.read(len(numbers) * page))
    return b"".join(pieces)


def places_with(server: Server, text: str) -> list[str]:
    """Where a server has a text: in its files, its log, its memory."""
    places = []
    store = Path(server.db_filename)
    files = list(store.rglob("*")) if store.is_dir() else list(store.parent.glob(store.name + "*"))
    for path in [*files, server.log]:
        if path.is_file() and (found := found_in(path.read_bytes(), text)):
            places.append(f"{path.name}: {found[0]}")
    if found := found_in(memory_of(server.process.pid), text):
        places.append(f"memory: {found[0]}")
    return places
