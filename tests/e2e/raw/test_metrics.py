"""What `/metrics` says after known traffic."""

import re
import urllib.request
from collections.abc import Iterator

import pytest

from harness.raw import Raw, complete_workflow, schedule_activity, start_timer
from harness.server import Server, executable, free_port
from harness.waiting import wait_for_sync

pytestmark = pytest.mark.skipif(
    "longtide" not in executable(), reason="the reference leaves the names of task queues out"
)


class Page:
    """The metrics of one moment."""

    def __init__(self, port: int) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            self.lines = answer.read().decode().splitlines()

    def sum(self, family: str, **labels: str) -> float:
        """The sum of a family's series that have these labels."""
        total = 0.0
        for line in self.lines:
            found = re.fullmatch(rf"{family}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{k}="{v}"' in (found[1] or "") for k, v in labels.items()):
                total += float(found[2])
        return total


@pytest.fixture
def measured() -> Iterator[tuple[Raw, int]]:
    port = free_port()
    with Server(arguments=("--metrics-port", str(port))) as server:
        yield Raw(server.address), port


def test_a_workflow_leaves_its_numbers(measured: tuple[Raw, int], queue: str):
    raw, port = measured
    raw.start(queue)
    task = raw.poll(queue)
    raw.complete(task, schedule_activity("a", queue), start_timer("t", 60_000))
    activity = raw.poll_activity(queue)
    raw.call("RespondActivityTaskCompleted", task_token=activity.task_token)
    raw.complete(raw.poll(queue), complete_workflow())
    raw.poll(queue, seconds=3)
    page = wait_for_sync(
        lambda: (page := Page(port)).sum("workflow_success") == 1 and page, "a success"
    )
    named = {"namespace": "default", "taskqueue": queue}
    assert page.sum("poll_success", task_type="Workflow", **named) == 2
    assert page.sum("poll_success", task_type="Activity", **named) == 1
    assert page.sum("poll_timeouts", task_type="Workflow", **named) == 1
    # Nobody waited for any of these tasks.
    assert page.sum("poll_success_sync", **named) == 0
    assert page.sum("asyncmatch_latency_count", **named) == 3
    commands = ("ScheduleActivityTask", "StartTimer", "CompleteWorkflowExecution")
    assert [page.sum("command", commandType=command) for command in commands] == [1, 1, 1]
    assert page.sum("start_timer_command", namespace="default") == 1
    assert page.sum("persistence_requests", operation="UpdateWorkflowExecution") >= 5
    assert page.sum("persistence_errors") == 0
    assert page.sum("longtide_commit_latency_seconds_count") >= 5
    assert page.sum("longtide_open_workflows") == 0
    assert page.sum("pending_polls", **named) == 0
    assert page.sum("persistence_latency_count", operation="UpdateWorkflowExecution") >= 5


def test_a_backlog_shows_while_nobody_polls(measured: tuple[Raw, int], queue: str):
    raw, port = measured
    for _ in range(3):
        raw.start(queue)
    named = {"namespace": "default", "taskqueue": queue, "task_type": "Workflow"}
    assert wait_for_sync(lambda: Page(port).sum("approximate_backlog_count", **named) == 3, "three")
    assert Page(port).sum("approximate_backlog_age_seconds", **named) > 0
    for _ in range(3):
        raw.complete(raw.poll(queue), complete_workflow())
    assert wait_for_sync(
        lambda: Page(port).sum("approximate_backlog_count", **named) == 0, "an empty queue"
    )
    page = Page(port)
    assert page.sum("approximate_backlog_age_seconds", **named) == 0
