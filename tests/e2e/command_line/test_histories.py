"""`workflow diff`, `history export`, and what of a history is shown."""

import base64
import json

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import WorkflowHistory

from harness.command_line import REFERENCE, Cli
from harness.raw import Raw, complete_workflow
from harness.sdk import unique
from harness.server import Server


def run_once(ours: Cli, raw: Raw, queue: str, argument: str, result: bytes) -> str:
    """A workflow that has run; its id."""
    workflow_id = unique("workflow")
    words = ["--type", "kind", "-t", queue, "-w", workflow_id, "-i", argument]
    ours.text("workflow", "start", *words)
    raw.complete(raw.poll(queue), complete_workflow(result))
    return workflow_id


def test_a_difference_is_shown_where_it_is(ours: Cli, raw: Raw, queue: str):
    one = run_once(ours, raw, queue, '{"a": 1}', b'"same"')
    other = run_once(ours, raw, queue, '{"a": 2}', b'"same"')
    words = ["workflow", "diff", "-w", one, "--other-workflow-id", other]
    (difference,) = ours.json(*words)
    assert difference["eventId"] == 1
    path = "workflowExecutionStartedEventAttributes.input[0].a"
    assert difference["removed"] == [f"{path}: 1"]
    assert difference["added"] == [f"{path}: 2"]
    text = ours.text(*words)
    assert f"- {path}: 1" in text and f"+ {path}: 2" in text


def test_the_same_histories_differ_only_exactly(ours: Cli, raw: Raw, queue: str):
    one, other = (run_once(ours, raw, queue, "1", b"2") for _ in range(2))
    words = ["workflow", "diff", "-w", one, "--other-workflow-id", other]
    assert ours.json(*words) == []
    assert "the same" in ours.text(*words)
    assert len(ours.json(*words, "--exact")) == 5
    assert ours.run("workflow", "diff", "-w", one).returncode == 2


def test_an_export_is_what_show_prints(ours: Cli, raw: Raw, queue: str, tmp_path):
    workflow_id = run_once(ours, raw, queue, '"secret"', b'"secret, too"')
    path = tmp_path / "history.json"
    ours.text("history", "export", "-w", workflow_id, "--target", str(path))
    assert json.loads(path.read_text()) == ours.json("workflow", "show", "-w", workflow_id)
    assert path.stat().st_mode & 0o077 == 0


def test_a_redacted_export_tells_nothing_and_can_still_be_read(ours: Cli, raw: Raw, queue: str):
    workflow_id = run_once(ours, raw, queue, '"secret"', b'"secret, too"')
    text = ours.text("history", "export", "-w", workflow_id, "--redact")
    for data in (b'"secret"', b'"secret, too"'):
        assert base64.b64encode(data).decode() not in text
    assert "@" not in text
    history = WorkflowHistory.from_json(workflow_id, text)
    assert len(history.events) == 5
    result = history.events[-1].workflow_execution_completed_event_attributes.result
    assert result.payloads[0].data == b'"<redacted: 13 bytes>"'


def test_in_front_of_the_reference_nothing_is_shown_that_is_not_written(ours: Cli, queue: str):
    with Server(program=str(REFERENCE)) as server:
        raw, workflow_id = Raw(server.address), unique("workflow")
        words = ["-w", workflow_id, "--address", server.address]
        ours.text("workflow", "start", "--type", "kind", "-t", queue, *words)
        # The second attempt has events that are written when it ends, if at all.
        cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
        token = raw.poll(queue).task_token
        raw.call("RespondWorkflowTaskFailed", task_token=token, cause=cause)
        assert len(raw.poll(queue).history.events) == 6
        assert len(ours.json("workflow", "show", *words)["events"]) == 4
        ours.text("workflow", "terminate", *words)
        shown = ours.text("workflow", "show", "--follow", *words).splitlines()
        numbers = [line.split()[0] for line in shown if line.split() and line.split()[0].isdigit()]
        assert numbers == ["1", "2", "3", "4", "5"]
