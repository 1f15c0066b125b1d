"""`temporal workflow`: start, execute, list, count, show, describe, signal, query, end."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, QueryResultType

from harness.history import event_types
from harness.raw import Raw, complete_workflow, payloads, record_marker
from harness.sdk import unique
from harness.waiting import wait_for_sync


@pytest.fixture
def started(cli, queue: str, workflow_id: str) -> WorkflowExecution:
    """A run that the CLI started."""
    answer = cli.json(
        "workflow", "start", "--type", "workflow", "-t", queue, "-w", workflow_id, "-i", '"in"'
    )
    assert answer["workflowId"] == workflow_id
    return WorkflowExecution(workflow_id=workflow_id, run_id=answer["runId"])


def test_start_starts_a_workflow_with_its_input(cli, raw: Raw, started: WorkflowExecution):
    events = raw.assert_history(started, "Started WorkflowTaskScheduled")
    attributes = events[0].workflow_execution_started_event_attributes
    assert attributes.input == payloads(b'"in"')
    assert attributes.workflow_type.name == "workflow"
    cli.text("workflow", "terminate", "-w", started.workflow_id)


def test_starting_an_id_again_fails_when_told_to(cli, queue: str, started: WorkflowExecution):
    words = ["workflow", "start", "--type", "workflow", "-t", queue, "-w", started.workflow_id]
    again = cli.json(*words)
    assert again["runId"] == started.run_id
    assert "already" in cli.fails(*words, "--fail-existing").lower()
    cli.text("workflow", "terminate", "-w", started.workflow_id)


def test_execute_waits_for_the_result(cli, raw: Raw, queue: str, workflow_id: str):
    with ThreadPoolExecutor() as pool:
        executing = pool.submit(
            cli.json, "workflow", "execute", "--type", "workflow", "-t", queue, "-w", workflow_id
        )
        raw.complete(raw.poll(queue), complete_workflow(b'"out"'))
        answer = executing.result()
    assert answer["status"] == "COMPLETED"
    assert answer["result"] == "out"


def test_result_follows_to_the_end(cli, raw: Raw, queue: str, started: WorkflowExecution):
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(cli.json, "workflow", "result", "-w", started.workflow_id)
        raw.complete(raw.poll(queue), complete_workflow(b"42"))
        assert waiting.result()["result"] == 42


def test_list_and_count_find_a_run_by_id_type_and_status(
    cli, raw: Raw, queue: str, started: WorkflowExecution
):
    by_id = f"WorkflowId = '{started.workflow_id}'"
    listed = wait_for_sync(
        lambda: cli.json("workflow", "list", "--query", by_id), "the run in the list"
    )
    assert [run["execution"]["workflowId"] for run in listed] == [started.workflow_id]
    assert listed[0]["execution"]["runId"] == started.run_id
    assert listed[0]["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    assert listed[0]["type"]["name"] == "workflow"
    running = f"{by_id} AND WorkflowType = 'workflow' AND ExecutionStatus = 'Running'"
    assert cli.json("workflow", "count", "--query", running)["count"] == "1"
    assert "Total: 1" in cli.text("workflow", "count", "--query", running)
    raw.complete(raw.poll(queue), complete_workflow())
    completed = f"{by_id} AND ExecutionStatus = 'Completed'"
    wait_for_sync(
        lambda: cli.json("workflow", "count", "--query", completed).get("count") == "1",
        "the completed run in the count",
    )
    assert cli.json("workflow", "count", "--query", running).get("count", "0") == "0"
    assert started.workflow_id in cli.text("workflow", "list", "--query", completed)


def test_list_takes_a_limit(cli, queue: str, workflow_id: str):
    for number in range(3):
        name = f"{workflow_id}-{number}"
        cli.text("workflow", "start", "--type", "limited", "-t", queue, "-w", name)
    query = f"TaskQueue = '{queue}'"
    wait_for_sync(lambda: len(cli.json("workflow", "list", "-q", query)) == 3, "three runs")
    assert len(cli.json("workflow", "list", "-q", query, "--limit", "2")) == 2
    lines = cli.text("workflow", "list", "-q", query, "--output", "jsonl").splitlines()
    assert len(lines) == 3


def test_a_malformed_filter_is_told(cli):
    assert "invalid query" in cli.fails("workflow", "list", "-q", "!!")


def test_show_prints_the_history(cli, raw: Raw, queue: str, started: WorkflowExecution):
    raw.complete(raw.poll(queue), record_marker("m"), complete_workflow(b"1"))
    shown = cli.json("workflow", "show", "-w", started.workflow_id)
    types = [event["eventType"] for event in shown["events"]]
    assert types == [
        "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
        "EVENT_TYPE_MARKER_RECORDED",
        "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    ]
    text = cli.text("workflow", "show", "-w", started.workflow_id)
    assert "WorkflowExecutionCompleted" in text
    reverse = cli.json("workflow", "show", "-w", started.workflow_id, "--reverse")
    assert [event["eventId"] for event in reverse["events"]] == list("654321")
    followed = cli.text("workflow", "show", "-w", started.workflow_id, "--follow")
    assert "WorkflowExecutionCompleted" in followed


def test_describe_shows_an_open_and_a_closed_run(
    cli, raw: Raw, queue: str, started: WorkflowExecution
):
    shown = cli.json("workflow", "describe", "-w", started.workflow_id)
    info = shown["workflowExecutionInfo"]
    assert info["execution"] == {"workflowId": started.workflow_id, "runId": started.run_id}
    assert info["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    assert info["taskQueue"] == queue
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    text = cli.text("workflow", "describe", "-w", started.workflow_id)
    assert "COMPLETED" in text
    assert started.run_id in text


def test_describe_list_and_show_know_a_child(cli, raw: Raw, queue: str, started: WorkflowExecution):
    child_id = f"{started.workflow_id}-child"
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    child = command.start_child_workflow_execution_command_attributes
    child.workflow_id, child.workflow_type.name = child_id, "child"
    raw.complete(raw.poll(queue), command)
    wait_for_sync(
        lambda: "ChildWorkflowExecutionStarted" in event_types(raw.history(started)), "the child"
    )
    shown = cli.json("workflow", "describe", "-w", started.workflow_id)
    [pending] = shown["pendingChildren"]
    assert pending["workflowId"] == child_id
    assert pending["workflowTypeName"] == "child"
    assert pending["parentClosePolicy"] == "PARENT_CLOSE_POLICY_TERMINATE"
    query = f"ParentWorkflowId = '{started.workflow_id}'"
    wait_for_sync(lambda: cli.json("workflow", "list", "--query", query), "the child in the list")
    [listed] = cli.json("workflow", "list", "--query", query)
    assert listed["execution"] == {"workflowId": child_id, "runId": pending["runId"]}
    assert listed["parentExecution"]["workflowId"] == started.workflow_id
    assert listed["rootExecution"]["workflowId"] == started.workflow_id
    assert "ChildWorkflowExecutionStarted" in cli.text(
        "workflow", "show", "-w", started.workflow_id
    )
    cli.text("workflow", "terminate", "-w", started.workflow_id)
    run = WorkflowExecution(workflow_id=child_id)
    wait_for_sync(lambda: event_types(raw.history(run))[-1].endswith("Terminated"), "its end")


def test_a_signal_reaches_the_history(cli, raw: Raw, started: WorkflowExecution):
    cli.text("workflow", "signal", "-w", started.workflow_id, "--name", "tell", "-i", '{"a":1}')
    events = raw.assert_history(started, "Started WorkflowTaskScheduled Signaled")
    attributes = events[2].workflow_execution_signaled_event_attributes
    assert attributes.signal_name == "tell"
    assert attributes.input == payloads(b'{"a":1}')
    cli.text("workflow", "terminate", "-w", started.workflow_id)


def test_a_query_is_answered_by_a_worker(cli, raw: Raw, queue: str, started: WorkflowExecution):
    raw.complete(raw.poll(queue))
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(
            cli.json, "workflow", "query", "-w", started.workflow_id, "--name", "state"
        )
        task = raw.poll(queue)
        raw.call(
            "RespondQueryTaskCompleted",
            task_token=task.task_token,
            completed_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED,
            query_result=payloads(b'"fine"'),
        )
        assert asking.result()["queryResult"] == ["fine"]
    cli.text("workflow", "terminate", "-w", started.workflow_id)


def test_cancel_asks_the_workflow(cli, raw: Raw, started: WorkflowExecution):
    cli.text("workflow", "cancel", "-w", started.workflow_id)
    raw.assert_history(started, "Started WorkflowTaskScheduled CancelRequested")
    cli.text("workflow", "terminate", "-w", started.workflow_id)


def test_terminate_ends_the_workflow_with_a_reason(cli, raw: Raw, started: WorkflowExecution):
    cli.text("workflow", "terminate", "-w", started.workflow_id, "--reason", "enough")
    events = raw.assert_history(started, "Started WorkflowTaskScheduled Terminated")
    assert events[2].workflow_execution_terminated_event_attributes.reason == "enough"
    assert "already completed" in cli.fails("workflow", "terminate", "-w", started.workflow_id)


def test_a_signal_with_start_starts_and_signals(cli, raw: Raw, queue: str, workflow_id: str):
    answer = cli.json(
        "workflow",
        "signal-with-start",
        "--type",
        "workflow",
        "-t",
        queue,
        "-w",
        workflow_id,
        "--signal-name",
        "first",
    )
    run = WorkflowExecution(workflow_id=workflow_id, run_id=answer["runId"])
    raw.assert_history(run, "Started Signaled WorkflowTaskScheduled")
    raw.terminate(run)


@pytest.mark.parametrize(
    "words",
    [
        ["describe"],
        ["show"],
        ["result"],
        ["signal", "--name", "x"],
        ["cancel"],
        ["terminate"],
        ["query", "--name", "x"],
    ],
    ids=lambda words: words[0],
)
def test_a_command_about_an_unknown_workflow_fails(cli, words: list[str]):
    name = unique("nobody")
    assert "not found" in cli.fails("workflow", *words, "-w", name).lower()
