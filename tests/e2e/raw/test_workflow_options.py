"""Other options for a run than it was started with."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions

from harness.history import attributes
from harness.raw import Raw

TOGETHER = "error applying update_options: versioning_override fields must be updated together"
PARTIAL = "error applying update_options: versioning_override doesn't support partial updates"
UPDATED = "WorkflowExecutionOptionsUpdated"


def fields(run: WorkflowExecution, *paths: str, **options) -> dict:
    return {
        "workflow_execution": run,
        "workflow_execution_options": WorkflowExecutionOptions(**options),
        "update_mask": FieldMask(paths=paths),
        "identity": "somebody",
    }


def update(raw: Raw, run: WorkflowExecution, *paths: str, **options) -> WorkflowExecutionOptions:
    answer = raw.call("UpdateWorkflowExecutionOptions", **fields(run, *paths, **options))
    return answer.workflow_execution_options


def refused(raw: Raw, run: WorkflowExecution, *paths: str, **options) -> tuple[str, str]:
    answer = raw.refused("UpdateWorkflowExecutionOptions", **fields(run, *paths, **options))
    return answer.code, answer.text


def pinned(build_id: str = "") -> VersioningOverride:
    chosen = VersioningOverride()
    chosen.pinned.behavior = VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED
    if build_id:
        chosen.pinned.version.deployment_name = "nobody"
        chosen.pinned.version.build_id = build_id
    return chosen


def test_what_changes_is_told_by_an_event(raw: Raw, queue: str):
    run = raw.start(queue)
    assert (
        update(raw, run, "priority", priority=Priority(priority_key=2)).priority.priority_key == 2
    )
    # What is so already leaves no event.
    update(raw, run, "priority.priority_key", priority=Priority(priority_key=2))
    update(raw, run)
    merged = update(raw, run, "priority.fairness_key", priority=Priority(fairness_key="key"))
    assert (merged.priority.priority_key, merged.priority.fairness_key) == (2, "key")
    merged = update(
        raw, run, "versioning_override", versioning_override=VersioningOverride(auto_upgrade=True)
    )
    assert merged.versioning_override.auto_upgrade
    events = raw.assert_history(run, f"Started WorkflowTaskScheduled {UPDATED} {UPDATED} {UPDATED}")
    first, second, third = [attributes(event) for event in events[2:]]
    assert events[2].worker_may_ignore
    assert (first.identity, first.unset_versioning_override) == ("somebody", True)
    assert (first.priority.priority_key, second.priority.fairness_key) == (2, "key")
    assert third.versioning_override.auto_upgrade
    assert not third.unset_versioning_override

    described = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    assert described.versioning_info.versioning_override.auto_upgrade
    assert (described.priority.priority_key, described.priority.fairness_key) == (2, "key")
    assert not update(raw, run, "versioning_override").HasField("versioning_override")
    described = raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info
    assert not described.versioning_info.HasField("versioning_override")
    raw.terminate(run)


def test_the_waiting_task_goes_on(raw: Raw, queue: str):
    run = raw.start(queue)
    update(raw, run, "priority", priority=Priority(priority_key=1))
    task = raw.poll(queue)
    assert task.workflow_execution == run
    update(raw, run, "priority", priority=Priority(priority_key=5))
    raw.assert_history(run, f"Started WorkflowTaskScheduled {UPDATED} WorkflowTaskStarted")
    raw.complete(task)
    raw.assert_history(
        run,
        f"Started WorkflowTaskScheduled {UPDATED} WorkflowTaskStarted WorkflowTaskCompleted "
        f"{UPDATED} WorkflowTaskScheduled",
    )
    raw.terminate(run)


def test_what_makes_no_sense_is_refused(raw: Raw, queue: str):
    run = raw.start(queue)
    bare = {"workflow_execution": run}
    answer = raw.refused("UpdateWorkflowExecutionOptions", **bare)
    assert (answer.code, answer.text) == ("INVALID_ARGUMENT", "UpdateMask is required")
    answer = raw.refused("UpdateWorkflowExecutionOptions", **bare, update_mask=FieldMask())
    assert answer.text == "WorkflowExecutionOptions is required"
    for path in ["foo", "versioningOverride", "priority.foo", ""]:
        code, text = refused(raw, run, path)
        assert code == "INVALID_ARGUMENT"
        assert text.startswith("error parsing UpdateMask: ")
        assert text.endswith(
            f'invalid path "{path}" for message "temporal.api.workflow.v1.WorkflowExecutionOptions"'
        )
    assert refused(raw, run, "versioning_override.behavior") == ("INVALID_ARGUMENT", TOGETHER)
    upgrade = VersioningOverride(auto_upgrade=True)
    assert refused(raw, run, "versioning_override.auto_upgrade", versioning_override=upgrade) == (
        "INVALID_ARGUMENT",
        PARTIAL,
    )
    assert refused(raw, run, "priority", priority=Priority(priority_key=-1)) == (
        "INVALID_ARGUMENT",
        "priority key can't be negative",
    )
    assert refused(raw, run, "versioning_override", versioning_override=pinned()) == (
        "FAILED_PRECONDITION",
        "must specify a specific pinned override version because workflow with id "
        f"{run.workflow_id} has behavior Unspecified and is not yet pinned to any version",
    )
    assert refused(raw, run, "versioning_override", versioning_override=pinned("b")) == (
        "FAILED_PRECONDITION",
        f"Pinned version 'nobody:b' is not present in task queue '{queue}' of type 'Workflow'",
    )
    raw.assert_history(run, "Started WorkflowTaskScheduled")
    raw.terminate(run)
    assert refused(raw, run, "priority") == ("NOT_FOUND", "workflow execution already completed")


@pytest.mark.parametrize(
    ("run", "refusal"),
    [
        (WorkflowExecution(), ("INVALID_ARGUMENT", "WorkflowId is not set on request.")),
        (
            WorkflowExecution(workflow_id="w", run_id="x"),
            ("INVALID_ARGUMENT", "RunId is not valid UUID."),
        ),
        (
            WorkflowExecution(workflow_id="nobody"),
            ("NOT_FOUND", "workflow not found for ID: nobody"),
        ),
    ],
)
def test_a_run_that_is_not_there(raw: Raw, run: WorkflowExecution, refusal: tuple[str, str]):
    assert refused(raw, run, "priority") == refusal
