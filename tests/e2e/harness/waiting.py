"""Waiting for a condition instead of for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_SECONDS = 0.02
PATIENCE_SECONDS = 20.0


async def wait_for(
    look: Callable[[], Awaitable[T] | T], what: str, seconds: float = PATIENCE_SECONDS
) -> T:
    """Calls `look` again and again until it answers something true, and gives that answer."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def wait_for_sync(look: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """`wait_for` where no event loop runs."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(LOOK_EVERY_SECONDS)
    return seen
