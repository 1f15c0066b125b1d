"""`workflow trace`: a workflow with what it gave out, as a tree."""

import re
from concurrent.futures import ThreadPoolExecutor

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.command_line import Cli
from harness.raw import Raw, complete_workflow, schedule_activity
from harness.sdk import unique

TIMES = re.compile(r" \([^)]*\)")
CHILD_ENDED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED


def child(workflow_id: str, queue: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    attributes.workflow_type.CopyFrom(WorkflowType(name="child-kind"))
    attributes.task_queue.CopyFrom(TaskQueue(name=queue))
    return command


def family(ours: Cli, raw: Raw, queue: str) -> tuple[str, str]:
    """An open workflow with a child of its own queue, each with an activity; their ids."""
    parent, kid = unique("parent"), unique("kid")
    ours.text("workflow", "start", "--type", "parent-kind", "-t", queue, "-w", parent)
    raw.complete(raw.poll(queue), schedule_activity("act", unique("nobody")), child(kid, kid))
    raw.complete(raw.poll(kid), schedule_activity("deep", unique("nobody")))
    return parent, kid


def end(ours: Cli, raw: Raw, queue: str, kid: str) -> None:
    """Ends the child's activity, the child and the parent."""
    ours.text("activity", "complete", "-a", "deep", "-w", kid, "--result", "1")
    raw.complete(raw.poll(kid), complete_workflow(b"1"))
    # The child's start and its end are told to the parent, together or not.
    task = raw.poll(queue)
    while not any(event.event_type == CHILD_ENDED for event in task.history.events):
        raw.complete(task)
        task = raw.poll(queue)
    raw.complete(task, complete_workflow(b"2"))


def test_a_trace_follows_until_the_workflow_ends(ours: Cli, raw: Raw, queue: str):
    parent, kid = family(ours, raw, queue)
    with ThreadPoolExecutor() as pool:
        tracing = pool.submit(ours.text, "workflow", "trace", "-w", parent, "--no-fold")
        end(ours, raw, queue, kid)
        text = tracing.result()
    lines = [line.strip() for line in text.splitlines()]
    assert any(line.startswith("╪ ✓ parent-kind") for line in lines), text
    assert any("╪ ✓ child-kind" in line for line in lines), text
    # The parent ended before its activity did.
    assert any("┼ • activity" in line for line in lines), text
    assert any("┼ ✓ activity" in line for line in lines), text
    assert parent in text and kid in text


def without_times(text: str) -> list[str]:
    """Lines without how long something took: one program says `0.04s`, the other `42ms` or
    `1s ago`."""
    return [TIMES.sub("", line).rstrip() for line in text.splitlines()]


def test_both_draw_the_same(ours: Cli, theirs: Cli, raw: Raw, queue: str):
    parent, kid = family(ours, raw, queue)
    end(ours, raw, queue, kid)
    trace = ["workflow", "trace", "-w", parent]
    drawings = {}
    for words in ("", "--no-fold", "--fold failed", "--depth 0", "--depth 1 --concurrency 3"):
        drawn = ours.text(*trace, *words.split())
        assert without_times(drawn) == without_times(theirs.text(*trace, *words.split())), words
        drawings[words] = drawn
    folded = [words for words, drawn in drawings.items() if "↳ execution folded" in drawn]
    assert folded == ["", "--depth 0", "--depth 1 --concurrency 3"]
    assert all("╪ ✓ child-kind" in drawn and kid in drawn for drawn in drawings.values())


def test_a_workflow_that_is_not_there_is_told(ours: Cli):
    assert ours.run("workflow", "trace", "-w", "nobody").returncode == 3
    assert ours.run("workflow", "trace", "-w", "nobody", "-o", "json").returncode == 2
