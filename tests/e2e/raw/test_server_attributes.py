"""Search attributes that the server sets itself, and the points to which a run can be reset."""

import json
from datetime import timedelta

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkerVersionStamp, WorkflowExecution

from harness.raw import Raw, complete_workflow
from harness.waiting import wait_for_sync

PROBLEMS_REPORTED_AFTER = 5


def shown(raw: Raw, run: WorkflowExecution) -> dict[str, list[str]]:
    """The search attributes as a description and, once it has kept up, the list show them."""

    def both():
        described = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
        query = f"WorkflowId = '{run.workflow_id}'"
        listed = raw.call("ListWorkflowExecutions", query=query).executions
        same = len(listed) == 1 and listed[0].search_attributes == described.search_attributes
        return described if same else None

    fields = wait_for_sync(both, "the list to show what the description does")
    fields = fields.search_attributes.indexed_fields
    assert all(value.metadata["type"] == b"KeywordList" for value in fields.values())
    assert all(value.metadata["encoding"] == b"json/plain" for value in fields.values())
    return {name: json.loads(value.data) for name, value in fields.items()}


def fail(raw: Raw, queue: str) -> None:
    cause = "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"
    raw.call("RespondWorkflowTaskFailed", task_token=raw.poll(queue).task_token, cause=cause)


def test_failures_in_a_row_are_reported_until_a_workflow_task_succeeds(raw: Raw, queue: str):
    run = raw.start(queue)
    for failures in range(1, PROBLEMS_REPORTED_AFTER + 1):
        assert shown(raw, run) == {}
        fail(raw, queue)
        if failures == 3:  # the attempt starts again at one, the failures still count
            raw.signal(run)
    problems = [
        "category=WorkflowTaskFailed",
        "cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure",
    ]
    assert shown(raw, run) == {"TemporalReportedProblems": problems}
    query = "TemporalReportedProblems IN ('category=WorkflowTaskFailed')"
    listed = raw.call("ListWorkflowExecutions", query=query).executions
    assert run in [execution.execution for execution in listed]
    raw.complete(raw.poll(queue))
    assert shown(raw, run) == {"BuildIds": ["unversioned"]}
    raw.terminate(run)


def test_workflow_tasks_that_time_out_are_reported(raw: Raw, queue: str):
    run = raw.start(queue, workflow_task_timeout=timedelta(seconds=1))
    for attempt in range(1, PROBLEMS_REPORTED_AFTER + 1):
        raw.poll(queue)
        if attempt in (2, 4):  # a first attempt again, before the time-outs grow
            raw.signal(run)
    wait_for_sync(lambda: shown(raw, run), "a report")
    assert shown(raw, run) == {
        "TemporalReportedProblems": [
            "category=WorkflowTaskTimedOut",
            "cause=WorkflowTaskTimedOutCauseStartToClose",
        ]
    }
    raw.terminate(run)


def test_each_build_that_runs_a_workflow_is_noted_once(raw: Raw, queue: str):
    run = raw.start(queue)
    workers = [
        {},
        {"worker_version_stamp": WorkerVersionStamp(build_id="one")},
        {"worker_version_stamp": WorkerVersionStamp(build_id="two"), "binary_checksum": "sum"},
        {"worker_version_stamp": WorkerVersionStamp(build_id="one")},
        {"binary_checksum": "other sum"},
    ]
    for worker in workers:
        raw.complete(raw.poll(queue), **worker)
        raw.signal(run)
    assert shown(raw, run) == {
        "BuildIds": ["unversioned", "unversioned:one", "unversioned:two"],
        "BinaryChecksums": ["sum", "other sum"],
    }
    info = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    points = [
        (point.first_workflow_task_completed_id, point.build_id, point.binary_checksum)
        for point in info.auto_reset_points.points
    ]
    assert points == [(4, "", ""), (8, "one", ""), (12, "two", "sum"), (20, "", "other sum")]
    assert all(
        point.resettable and point.run_id == run.run_id for point in info.auto_reset_points.points
    )
    raw.complete(raw.poll(queue), complete_workflow())
    raw.terminate(raw.start(queue))


def test_search_attributes_of_the_server_are_not_inherited(raw: Raw, queue: str):
    first = raw.start(queue)
    command = Command(command_type="COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION")
    command.continue_as_new_workflow_execution_command_attributes.workflow_type.name = "workflow"
    raw.complete(raw.poll(queue), command)
    assert shown_of(raw, first) == {"BuildIds": ["unversioned"]}
    task = raw.poll(queue)
    assert shown_of(raw, task.workflow_execution) == {}
    started = raw.history(task.workflow_execution)[0].workflow_execution_started_event_attributes
    points = started.prev_auto_reset_points.points
    assert [(point.run_id, point.first_workflow_task_completed_id) for point in points] == [
        (first.run_id, 4)
    ]
    assert points[0].expire_time.seconds > points[0].create_time.seconds
    raw.complete(task, complete_workflow())
    info = raw.call("DescribeWorkflowExecution", execution=task.workflow_execution)
    points = info.workflow_execution_info.auto_reset_points.points
    assert [point.run_id for point in points] == [first.run_id]


def shown_of(raw: Raw, run: WorkflowExecution) -> dict[str, list[str]]:
    """The search attributes of one run of a chain, as its description shows them."""
    info = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    fields = info.search_attributes.indexed_fields
    return {name: json.loads(value.data) for name, value in fields.items()}
