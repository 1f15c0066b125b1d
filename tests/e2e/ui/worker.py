"""A worker and a starter for the browser tests: real workflows, real payloads.

`python worker.py ADDRESS` runs workers on the queues below and obeys lines of JSON on its standard
input (`{"start": "Order", "id": "…", "args": […]}`), answering each with a line.
"""

import asyncio
import base64
import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.common import RetryPolicy
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "ui"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Reversing(PayloadCodec):
    """Stands in for encryption: the bytes of a payload, backwards."""

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": b"binary/encrypted", "encryption-key-id": b"key-1"},
                data=payload.SerializeToString()[::-1],
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [
            Payload.FromString(payload.data[::-1])
            if payload.metadata.get("encoding") == b"binary/encrypted"
            else payload
            for payload in payloads
        ]


@activity.defn
async def charge(amount: int) -> str:
    if amount < 0:
        raise ApplicationError(f"card refused: {HOSTILE}", type="CardRefused")
    return f"charged {amount}"


@activity.defn
async def tick(number: int) -> int:
    return number


@workflow.defn(name="Order")
class Order:
    """Charges, then waits for `approve`; `status` tells where it is, `note` adds a note."""

    def __init__(self) -> None:
        self.approved = False
        self.notes: list[str] = []

    @workflow.run
    async def run(self, amount: int) -> str:
        charged = await workflow.execute_activity(
            charge,
            amount,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1)),
            summary="charge the card",
        )
        workflow.set_current_details(f"Waiting for **approval** {HOSTILE}")
        await workflow.wait_condition(lambda: self.approved)
        return f"{charged}, {len(self.notes)} notes"

    @workflow.signal(description="Lets the order through")
    def approve(self) -> None:
        self.approved = True

    @workflow.query(description="Where the order is")
    def status(self) -> str:
        return "approved" if self.approved else "waiting"

    @workflow.update
    def note(self, text: str) -> int:
        self.notes.append(text)
        return len(self.notes)

    @note.validator
    def check_note(self, text: str) -> None:
        if not text:
            raise ApplicationError("a note needs words")


@workflow.defn(name="Failing")
class Failing:
    @workflow.run
    async def run(self, text: str) -> str:
        raise ApplicationError(text, {"hint": HOSTILE}, type="Refused")


@workflow.defn(name="Parent")
class Parent:
    @workflow.run
    async def run(self, children: int) -> list[int]:
        done = await asyncio.gather(
            *(
                workflow.execute_child_workflow(
                    "Leaf", number, id=f"{workflow.info().workflow_id}-leaf-{number}"
                )
                for number in range(children)
            )
        )
        return list(done)


@workflow.defn(name="Leaf")
class Leaf:
    @workflow.run
    async def run(self, number: int) -> int:
        await workflow.sleep(0.05)
        return await workflow.execute_activity(
            tick, number, start_to_close_timeout=timedelta(seconds=10)
        )


@workflow.defn(name="Counter")
class Counter:
    """Goes on as new until it has counted enough."""

    @workflow.run
    async def run(self, left: int) -> str:
        await workflow.sleep(0.02)
        if left > 0:
            workflow.continue_as_new(left - 1)
        return "counted"


@workflow.defn(name="Long")
class Long:
    """Very many events: two for each timer."""

    @workflow.run
    async def run(self, timers: int) -> int:
        for _ in range(0, timers, 1000):
            await asyncio.gather(*(workflow.sleep(0.001) for _ in range(min(1000, timers))))
        return timers


@workflow.defn(name="Echo")
class Echo:
    @workflow.run
    async def run(self, value: Any) -> Any:
        return value


WORKFLOWS = [Order, Failing, Parent, Leaf, Counter, Long, Echo]


async def obey(client: Client, secret: Client, order: dict) -> object:
    """Carries out one line of the tests."""
    if "start" in order:
        chosen = secret if order.get("encrypted") else client
        handle = await chosen.start_workflow(
            order["start"],
            args=order.get("args", []),
            id=order["id"],
            task_queue=order.get("queue", QUEUE + "-secret" if order.get("encrypted") else QUEUE),
            memo=order.get("memo"),
            static_summary=order.get("summary"),
            static_details=order.get("details"),
            task_timeout=timedelta(seconds=60),
        )
        return handle.first_execution_run_id
    if "wait" in order:
        return str(await client.get_workflow_handle(order["wait"]).result())
    if "schedule" in order:
        await client.create_schedule(
            order["schedule"],
            Schedule(
                action=ScheduleActionStartWorkflow(
                    "Echo", args=[1], id=order["schedule"] + "-run", task_queue=QUEUE
                ),
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]),
            ),
        )
        return True
    if "decode" in order:
        # What a codec server does, so that the tests can be one.
        payloads = [
            Payload(
                metadata={k: base64.b64decode(v) for k, v in one.get("metadata", {}).items()},
                data=base64.b64decode(one.get("data", "")),
            )
            for one in order["decode"]
        ]
        return [
            {
                "metadata": {k: base64.b64encode(v).decode() for k, v in one.metadata.items()},
                "data": base64.b64encode(one.data).decode(),
            }
            for one in await Reversing().decode(payloads)
        ]
    raise ValueError(f"unknown order: {order}")


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    secret = await Client.connect(
        sys.argv[1], data_converter=DataConverter(payload_codec=Reversing())
    )
    common = {
        "workflows": WORKFLOWS,
        "activities": [charge, tick],
        "workflow_runner": UnsandboxedWorkflowRunner(),
    }
    loop = asyncio.get_running_loop()
    async with (
        Worker(client, task_queue=QUEUE, **common),
        Worker(secret, task_queue=QUEUE + "-secret", **common),
    ):
        print(json.dumps({"ready": True}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            try:
                answer = {"ok": await obey(client, secret, json.loads(line))}
            except Exception as error:  # every failure is an answer to the test
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
