"""`workflow diff` and `history export`."""

import base64
import json

from temporalio.client import WorkflowHistory

from harness.command_line import Cli
from harness.raw import Raw, complete_workflow
from harness.sdk import unique


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
