"""The workflows and activities of the load: each result can be computed without the server."""

import asyncio
import random
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

FAST = RetryPolicy(
    initial_interval=timedelta(milliseconds=50),
    backoff_coefficient=1.2,
    maximum_interval=timedelta(seconds=1),
)


@activity.defn
async def square(number: int) -> int:
    """Sometimes slow, so that kills hit running activities too."""
    await asyncio.sleep(random.random() * 0.05)
    return number * number


@workflow.defn
class Accumulates:
    """Adds a square from an activity for each signal, sleeps between, and ends when told the total.

    Signals carry their own number: a lost, repeated or reordered one changes the result.
    """

    def __init__(self) -> None:
        self.inbox: list[int] = []
        self.seen: list[int] = []

    @workflow.run
    async def run(self, signals: int) -> list[int]:
        squares = []
        while len(self.seen) < signals:
            await workflow.wait_condition(lambda: bool(self.inbox))
            number = self.inbox.pop(0)
            self.seen.append(number)
            squares.append(
                await workflow.execute_activity(
                    square,
                    number,
                    start_to_close_timeout=timedelta(seconds=3),
                    retry_policy=FAST,
                )
            )
            await workflow.sleep(timedelta(milliseconds=30))
        return squares

    @workflow.signal
    def add(self, number: int) -> None:
        self.inbox.append(number)


def right_result(signals: int) -> list[int]:
    """What `Accumulates` gives when signals 0 to `signals` - 1 each arrived once, in order."""
    return [number * number for number in range(signals)]
