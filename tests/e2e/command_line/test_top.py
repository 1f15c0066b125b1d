"""`workflow top`, in a terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from harness.command_line import Cli
from harness.raw import Raw, schedule_activity
from harness.sdk import unique
from harness.waiting import wait_for_sync

SECONDS = 20.0
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
PLACE = re.compile(r"\x1b\[\d+;1H")


class Terminal:
    """A program in a terminal of 110 columns and 30 rows."""

    def __init__(self, cli: Cli, *words: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
        environment = {**cli.environment, "TERM": "xterm"}
        self.process = subprocess.Popen(
            [cli.program, *words], env=environment, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.said = ""

    def shows(self, *texts: str) -> str:
        """Waits until one screen has all the texts; gives it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            # Every screen begins at the first row.
            screens = self.said.split("\x1b[1;1H")
            for screen in reversed(screens):
                plain = CODES.sub("", PLACE.sub("\n", screen))
                if all(text in plain for text in texts):
                    self.said = ""
                    return plain
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                self.said += os.read(self.master, 65536).decode(errors="replace")
        raise AssertionError(f"{texts}\n{CODES.sub('', self.said)[-4000:]}")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        os.close(self.master)


@pytest.fixture
def listed(ours: Cli, raw: Raw, queue: str) -> str:
    """A query that finds three runs, of which one has an activity."""
    kind = unique("kind")
    for name in ("one", "two", "three"):
        ours.text("workflow", "start", "--type", kind, "-t", queue, "-w", f"{name}-{kind}")
    for _ in range(3):
        raw.complete(raw.poll(queue), schedule_activity("act", unique("nobody")))
    ours.text("workflow", "terminate", "-w", f"two-{kind}")
    query = f"WorkflowType = '{kind}'"
    closed = ["workflow", "count", "-q", f"{query} AND ExecutionStatus = 'Terminated'"]
    wait_for_sync(lambda: ours.json(*closed).get("count") == "1", "the list")
    return query


def test_workflows_are_listed_filtered_and_opened(ours: Cli, listed: str):
    with Terminal(ours, "workflow", "top", "-q", listed, "--interval", "300ms") as terminal:
        screen = terminal.shows(
            "3 workflows", "Running 2", "Terminated 1", "three-", "one-", "two-"
        )
        # The newest comes first, and keys are told.
        assert screen.index("three-") < screen.index("one-")
        assert "q quit" in screen
        terminal.press("s")
        screen = terminal.shows("WorkflowId ▼")
        assert screen.index("two-") < screen.index("three-") < screen.index("one-")
        terminal.press("r")
        terminal.shows("WorkflowId ▲")
        terminal.press("/one\r")
        screen = terminal.shows("filter one", "one-")
        assert "two-" not in screen
        terminal.press("\r")
        screen = terminal.shows("Workflow one-", "Pending activities: 1", "ActivityTaskScheduled")
        assert "act" in screen and "attempt 1" in screen
        terminal.press("\x1b")
        terminal.shows("filter one", "Enter open")
        terminal.press("?")
        terminal.shows("sort by start")
        terminal.press("q")
        terminal.shows("Enter open")
        terminal.press("q")
        assert terminal.process.wait(timeout=10) == 0


def test_the_list_follows_what_happens(ours: Cli, listed: str):
    with Terminal(ours, "workflow", "top", "-q", listed, "--interval", "300ms") as terminal:
        terminal.shows("Running 2")
        ours.text("workflow", "terminate", "-q", listed, "--reason", "end", "--yes")
        terminal.shows("Terminated 3")
        terminal.press(":no query\r")
        terminal.shows("ListWorkflowExecutions")
        terminal.press("\x03")
        assert terminal.process.wait(timeout=10) == 0


def test_without_a_terminal_it_says_what_to_do(ours: Cli):
    done = ours.run("workflow", "top")
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr and "--watch" in done.stderr
