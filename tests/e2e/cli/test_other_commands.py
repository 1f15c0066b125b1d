"""`temporal activity`, `task-queue` and `operator`."""

import uuid

import pytest

from harness.history import attributes, only
from harness.raw import Raw, payloads, schedule_activity
from harness.sdk import unique
from harness.waiting import wait_for_sync


@pytest.fixture
def activity(raw: Raw, queue: str):
    """A run with one activity `a` that a worker has taken."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue))
    assert raw.poll_activity(queue).task_token
    yield run
    raw.terminate(run)


def test_an_activity_is_completed(cli, raw: Raw, activity):
    cli.text(
        "activity", "complete", "-w", activity.workflow_id, "-a", "a", "--result", '{"done":true}'
    )
    events = raw.assert_history(activity, "Started WorkflowTask Activity WorkflowTaskScheduled")
    completed = attributes(only(events, "ActivityTaskCompleted"))
    assert completed.result == payloads(b'{"done":true}')


def test_an_activity_is_failed(cli, raw: Raw, activity):
    cli.text("activity", "fail", "-w", activity.workflow_id, "-a", "a", "--reason", "told to")
    events = raw.assert_history(
        activity,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed "
        "WorkflowTaskScheduled",
    )
    assert attributes(only(events, "ActivityTaskFailed")).failure.message == "told to"


def test_an_unknown_activity_is_not_found(cli, activity):
    words = ["activity", "complete", "-w", activity.workflow_id, "-a", "b", "--result", "1"]
    assert "cannot find pending activity" in cli.fails(*words)


def test_a_task_queue_shows_its_pollers(cli, raw: Raw, queue: str):
    raw.poll(queue, seconds=2.5, identity="the-poller")

    def pollers() -> str:
        return cli.text("task-queue", "describe", "-t", queue)

    wait_for_sync(lambda: "the-poller" in pollers(), "the poller")


def test_a_namespace_is_made_described_and_listed(cli):
    name = unique("namespace")
    cli.text("operator", "namespace", "create", "-n", name, "--retention", "48h")

    def described():
        done = cli.run("operator", "namespace", "describe", "-n", name, "-o", "json")
        return done.stdout if done.returncode == 0 else None

    wait_for_sync(described, "the namespace")
    shown = cli.json("operator", "namespace", "describe", "-n", name)
    assert shown["namespaceInfo"]["name"] == name
    assert shown["config"]["workflowExecutionRetentionTtl"] == "172800s"

    def listed() -> set[str]:
        found = cli.json("operator", "namespace", "list")
        return {entry["namespaceInfo"]["name"] for entry in found}

    wait_for_sync(lambda: {"default", name} <= listed(), "both namespaces")
    words = ["operator", "namespace", "create", "-n", name]
    assert "already exists" in cli.fails(*words)


def test_an_unknown_namespace_is_not_found(cli):
    name = unique("nowhere")
    text = cli.fails("operator", "namespace", "describe", "-n", name)
    assert "not found" in text.lower()
    assert "not found" in cli.fails("workflow", "list", "-n", name).lower()


def test_the_cluster_is_healthy(cli):
    assert cli.text("operator", "cluster", "health").strip() == "SERVING"


def test_the_cluster_tells_its_version(cli):
    system = cli.json("operator", "cluster", "system")
    assert system["serverVersion"]
    assert system["capabilities"]["signalAndQueryHeader"]
    assert system["capabilities"]["sdkMetadata"]


def test_a_search_attribute_is_made_and_listed(cli):
    name = "Cli" + uuid.uuid4().hex[:8]
    cli.text("operator", "search-attribute", "create", "--name", name, "--type", "Keyword")

    def listed() -> str:
        return cli.text("operator", "search-attribute", "list")

    wait_for_sync(lambda: name in listed(), "the new search attribute")
    shown = cli.json("operator", "search-attribute", "list")
    assert shown["customAttributes"][name] == "INDEXED_VALUE_TYPE_KEYWORD"
    assert shown["customAttributes"]["CustomKeywordField"] == "INDEXED_VALUE_TYPE_KEYWORD"
    assert shown["systemAttributes"]["WorkflowType"] == "INDEXED_VALUE_TYPE_KEYWORD"
