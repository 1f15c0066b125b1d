"""Holds a workflow task open, so that a test can act while one runs."""

import threading
from collections import defaultdict

from harness.waiting import wait_for

HELD_SECONDS = 20.0


class Gate:
    """Workflow code calls `hold`; the test waits until it is there, and lets it go on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._open = threading.Event()

    def hold(self) -> None:
        """Blocks the workflow's thread until the gate opens; once open it stays so."""
        self._reached.set()
        assert self._open.wait(HELD_SECONDS), "nobody opened the gate"

    async def reached(self) -> None:
        """Returns once workflow code stands at the gate."""
        await wait_for(self._reached.is_set, "workflow code at the gate")

    def open(self) -> None:
        """Lets the workflow code go on."""
        self._open.set()


GATES: defaultdict[str, Gate] = defaultdict(Gate)
"""The gates by name, for code that gets only a string as its input."""
