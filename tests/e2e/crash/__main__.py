"""Rounds of `kill -9` at random moments while starters, signallers and workers run.

After every kill the server starts again on the same file. At the end every acknowledged start and
signal has to be there, every run has to have ended once and with its right result. The seed of the
random moments is printed, and can be given.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from crash.workload import Accumulates, right_result, square
from harness.history import attributes, event_types
from harness.sdk import unique, worker
from harness.server import Server
from harness.waiting import wait_for

T = TypeVar("T")

SIGNALS_PER_RUN = 4
STARTERS = 6
OPEN_RUNS_MAX = 100
"""Starters wait when so many runs are open: one process of workers serves them all, and a backlog
that grows with the rounds would measure that process and not the server."""

SETTLE_SECONDS = 120
STUCK_RUNS_SHOWN = 5
EVENTS_OF_A_STUCK_RUN = 12
LOST_IN_THE_CRASH = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.UNKNOWN,
)
"""What a call may answer when the server goes away under it; whether it took effect is unknown."""


@dataclass
class Ledger:
    """What the server has acknowledged."""

    started: dict[str, str] = field(default_factory=dict)
    signals: int = 0
    results: dict[str, list[int]] = field(default_factory=dict)
    unanswered: int = 0


class Load:
    """Starts runs and signals them for as long as `running` holds; repeats what got no answer."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client = client
        self.queue = queue
        self.ledger = Ledger()
        self.running = True
        self.room = asyncio.Semaphore(OPEN_RUNS_MAX)
        self.collectors: list[asyncio.Task[None]] = []

    async def start_and_signal(self) -> None:
        """One starter: a run, its signals one after another, and the next run."""
        while self.running:
            await self.room.acquire()
            handle = await self._start(unique("crash"))
            self.collectors.append(asyncio.create_task(self._collect(handle)))
            for number in range(SIGNALS_PER_RUN):
                await self._signal(handle, number)

    async def _start(self, workflow_id: str) -> WorkflowHandle:
        handle = await self._until_answered(
            lambda: self.client.start_workflow(
                Accumulates.run,
                SIGNALS_PER_RUN,
                id=workflow_id,
                task_queue=self.queue,
                # A start without an answer may have started the run.
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        )
        self.ledger.started[workflow_id] = handle.first_execution_run_id or ""
        return handle

    async def _signal(self, handle: WorkflowHandle, number: int) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            signal_name="add",
            input=Payloads(
                payloads=self.client.data_converter.payload_converter.to_payloads([number])
            ),
            # A signal without an answer may be there; the same request id makes it count once.
            request_id=unique("signal"),
        )
        signal = self.client.workflow_service.signal_workflow_execution
        await self._until_answered(lambda: signal(request, retry=True))
        self.ledger.signals += 1

    async def _collect(self, handle: WorkflowHandle) -> None:
        result = await self._until_answered(handle.result)
        self.ledger.results[handle.id] = result
        self.room.release()

    async def _until_answered(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await call()
            except RPCError as error:
                if error.status not in LOST_IN_THE_CRASH:
                    raise
                self.ledger.unanswered += 1
                await asyncio.sleep(0.02)


async def kill_again_and_again(server: Server, rounds: int, chance: random.Random) -> float:
    """The rounds; gives the longest time from a start of the process until it served."""
    slowest = 0.0
    for number in range(rounds):
        await asyncio.sleep(0.3 + chance.random() * 1.7)  # the moment of the crash
        await asyncio.to_thread(server.kill)
        before = time.monotonic()
        await asyncio.to_thread(server.start)
        slowest = max(slowest, time.monotonic() - before)
        print(f"round {number + 1}: serving again", flush=True)
    return slowest


async def check(client: Client, ledger: Ledger) -> list[str]:
    """What is wrong with the runs; empty when all is well."""
    wrong = []
    for workflow_id, run_id in ledger.started.items():
        handle = client.get_workflow_handle(workflow_id)
        try:
            events = list((await handle.fetch_history()).events)
        except RPCError as error:
            wrong.append(f"{workflow_id}: acknowledged, but {error.message}")
            continue
        names = event_types(events)
        first_run = attributes(events[0]).original_execution_run_id
        if first_run != run_id:
            wrong.append(f"{workflow_id}: started as {run_id}, found as {first_run}")
        completions = names.count("WorkflowExecutionCompleted")
        if completions != 1 or names[-1] != "WorkflowExecutionCompleted":
            wrong.append(f"{workflow_id}: {completions} completions, the last event {names[-1]}")
        if [event.event_id for event in events] != list(range(1, len(events) + 1)):
            wrong.append(f"{workflow_id}: the event ids have gaps")
        signalled = names.count("WorkflowExecutionSignaled")
        if signalled != SIGNALS_PER_RUN:
            wrong.append(f"{workflow_id}: {SIGNALS_PER_RUN} signals sent, {signalled} there")
        if names.count("ActivityTaskCompleted") != SIGNALS_PER_RUN:
            wrong.append(f"{workflow_id}: {names.count('ActivityTaskCompleted')} activities")
        if ledger.results.get(workflow_id) != right_result(SIGNALS_PER_RUN):
            wrong.append(f"{workflow_id}: its result is {ledger.results.get(workflow_id)}")
    return wrong


async def check_list(client: Client, queue: str, runs: int) -> list[str]:
    """The list has every run once, as completed; it may take a moment to catch up."""

    async def all_listed() -> bool:
        counts = [
            (await client.count_workflows(f"TaskQueue = '{queue}'{status}")).count
            for status in ("", " AND ExecutionStatus = 'Completed'")
        ]
        return counts == [runs, runs]

    try:
        await wait_for(all_listed, f"{runs} completed runs in the list")
    except AssertionError as error:
        return [f"list: {error}"]
    return []


async def describe_unfinished(client: Client, ledger: Ledger) -> None:
    """Prints what the server knows of the runs without a result: the evidence of a stuck run."""
    unfinished = [known for known in ledger.started if known not in ledger.results]
    print(f"{len(unfinished)} of {len(ledger.started)} runs have no result; the oldest of them:")
    for workflow_id in unfinished[:STUCK_RUNS_SHOWN]:
        handle = client.get_workflow_handle(workflow_id)
        try:
            described = (await handle.describe()).raw_description
            events = list((await handle.fetch_history()).events)
        except RPCError as error:
            print(f"{workflow_id}: {error.message}")
            continue
        print(f"{workflow_id}: {len(events)} events, described as\n{described}")
        for event in events[-EVENTS_OF_A_STUCK_RUN:]:
            print(f"{event.event_id} {event.event_time.ToJsonString()} {attributes(event)}")


async def run(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="e2e-crash-") as folder:
        with Server(db_filename=Path(folder) / "server.db") as server:
            client = await Client.connect(server.address)
            queue = unique("queue")
            load = Load(client, queue)
            other = await Client.connect(server.address)
            async with (
                worker(client, queue, [Accumulates], [square]),
                worker(other, queue, [Accumulates], [square], max_cached_workflows=0),
            ):
                starters = [asyncio.create_task(load.start_and_signal()) for _ in range(STARTERS)]
                slowest = await kill_again_and_again(server, rounds, chance)
                load.running = False
                try:
                    async with asyncio.timeout(SETTLE_SECONDS):
                        await asyncio.gather(*starters)
                        await asyncio.gather(*load.collectors)
                except TimeoutError:
                    await describe_unfinished(client, load.ledger)
                    raise
            wrong = await check(client, load.ledger)
            wrong += await check_list(client, queue, len(load.ledger.started))
    for line in wrong:
        print(line)
    runs = len(load.ledger.started)
    print(
        f"seed {seed}: {rounds} kills, {runs} runs, {load.ledger.signals} signals, "
        f"{load.ledger.unanswered} calls without an answer, serving again within {slowest:.2f} s"
    )
    broken = len({line.split(":")[0] for line in wrong})
    print(f"{runs - broken} passed, {broken} failed")
    return 1 if wrong or not runs else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    return asyncio.run(run(arguments.rounds, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
