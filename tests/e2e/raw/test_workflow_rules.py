"""Rules of a namespace: which activities are paused before they are tried."""

from collections.abc import Iterator

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.rules.v1 import WorkflowRule, WorkflowRuleAction, WorkflowRuleSpec

from harness.raw import Raw, schedule_activity
from harness.sdk import unique
from harness.waiting import wait_for_sync

NOT_FOUND = ("INVALID_ARGUMENT", "Workflow Rule with this ID not Found.")
NO_ID = ("INVALID_ARGUMENT", "Workflow Rule ID is not set.")


def pausing(rule_id: str, predicate: str, **fields) -> WorkflowRuleSpec:
    spec = WorkflowRuleSpec(id=rule_id, **fields)
    spec.activity_start.predicate = predicate
    pause = WorkflowRuleAction.ActionActivityPause()
    spec.actions.append(WorkflowRuleAction(activity_pause=pause))
    return spec


def create(raw: Raw, spec: WorkflowRuleSpec, **fields) -> WorkflowRule:
    fields = {"identity": "somebody", "description": "why"} | fields
    return raw.call("CreateWorkflowRule", spec=spec, **fields).rule


def delete(raw: Raw, rule_id: str) -> None:
    raw.call("DeleteWorkflowRule", rule_id=rule_id)


def refused(raw: Raw, method: str, **fields) -> tuple[str, str]:
    answer = raw.refused(method, **fields)
    return answer.code, answer.text


def listed(raw: Raw) -> list[str]:
    return [rule.spec.id for rule in raw.call("ListWorkflowRules").rules]


@pytest.fixture
def rule_id(raw: Raw) -> Iterator[str]:
    """An id whose rule is gone after the test."""
    rule_id = unique("rule")
    yield rule_id
    if rule_id in listed(raw):
        delete(raw, rule_id)


def test_a_rule_is_kept_until_it_is_deleted(raw: Raw, rule_id: str):
    made = create(raw, pausing(rule_id, "ActivityType = 'nobody'"))
    assert (made.spec.id, made.created_by_identity, made.description) == (
        rule_id,
        "somebody",
        "why",
    )
    assert made.HasField("create_time")
    assert raw.call("DescribeWorkflowRule", rule_id=rule_id).rule == made
    assert rule_id in listed(raw)
    delete(raw, rule_id)
    assert rule_id not in listed(raw)
    assert refused(raw, "DescribeWorkflowRule", rule_id=rule_id) == NOT_FOUND
    assert refused(raw, "DeleteWorkflowRule", rule_id=rule_id) == NOT_FOUND


def test_what_is_no_rule_is_refused(raw: Raw, rule_id: str):
    assert refused(raw, "CreateWorkflowRule") == (
        "INVALID_ARGUMENT",
        "Rule Specification is not set.",
    )
    assert refused(raw, "CreateWorkflowRule", spec=pausing("", "")) == NO_ID
    assert refused(raw, "CreateWorkflowRule", spec=pausing("x" * 1001, "")) == (
        "INVALID_ARGUMENT",
        "Workflow Rule Id length exceeds limit.",
    )
    assert refused(raw, "DescribeWorkflowRule") == NO_ID
    assert refused(raw, "DeleteWorkflowRule") == NO_ID
    create(raw, pausing(rule_id, "ActivityType = 'nobody'"))
    assert refused(raw, "CreateWorkflowRule", spec=pausing(rule_id, "")) == (
        "INVALID_ARGUMENT",
        "Workflow Rule with this ID already exists.",
    )


def pending(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run).pending_activities[0]


def scheduled(raw: Raw, queue: str, activity_type: str) -> WorkflowExecution:
    run = raw.start(queue)
    command = schedule_activity("a", queue, maximum_attempts=0)
    command.schedule_activity_task_command_attributes.activity_type.name = activity_type
    raw.complete(raw.poll(queue), command)
    return run


def in_force(raw: Raw, queue: str, activity_type: str) -> WorkflowExecution:
    """A run whose activity a rule has paused: the server may take a while to know of the rule."""

    def paused() -> WorkflowExecution | None:
        run = scheduled(raw, queue, activity_type)
        raw.poll_activity(queue, 2.5)
        if pending(raw, run).paused:
            return run
        raw.terminate(run)
        return None

    return wait_for_sync(paused, "the rule in force", 40)


def test_an_activity_is_paused_before_its_first_attempt(raw: Raw, queue: str, rule_id: str):
    activity_type = unique("type")
    create(raw, pausing(rule_id, f"ActivityType = '{activity_type}'"))
    run = in_force(raw, queue, activity_type)
    info = pending(raw, run)
    assert info.pause_info.rule.rule_id == rule_id
    assert info.attempt == 1
    # Others are tried.
    other = scheduled(raw, queue, "other")
    assert raw.poll_activity(queue).workflow_execution == other
    raw.terminate(other)

    delete(raw, rule_id)

    def goes_on() -> bool:
        raw.call("UnpauseActivity", execution=run, id="a")
        return raw.poll_activity(queue, 2.5).workflow_execution == run

    wait_for_sync(goes_on, "the activity's first attempt", 40)
    assert not pending(raw, run).paused
    raw.terminate(run)


def test_an_activity_is_paused_after_a_failed_attempt(raw: Raw, queue: str, rule_id: str):
    activity_type = unique("type")
    run = scheduled(raw, queue, activity_type)
    held = raw.poll_activity(queue)
    create(raw, pausing(rule_id, f"ActivityType = '{activity_type}'"))
    raw.terminate(in_force(raw, queue, activity_type))
    raw.call("RespondActivityTaskFailed", task_token=held.task_token)
    info = pending(raw, run)
    assert (info.paused, info.attempt) == (True, 2)
    assert info.pause_info.rule.rule_id == rule_id
    raw.terminate(run)


def test_a_rule_may_be_for_some_workflows_or_have_expired(raw: Raw, queue: str, rule_id: str):
    activity_type, second, third = unique("type"), unique("rule"), unique("rule")
    this = f"ActivityType = '{activity_type}'"
    create(raw, pausing(second, this, visibility_query="WorkflowType = 'another'"))
    create(raw, pausing(third, this, expiration_time=Timestamp(seconds=1)))
    create(raw, pausing(rule_id, "ActivityType = 'in force'"))
    try:
        raw.terminate(in_force(raw, queue, "in force"))
        run = scheduled(raw, queue, activity_type)
        assert raw.poll_activity(queue).workflow_execution == run
        raw.terminate(run)
    finally:
        delete(raw, second)
        delete(raw, third)


def test_a_rule_is_applied_to_one_run(raw: Raw, queue: str):
    run = scheduled(raw, queue, "charge")
    refusal = raw.error("TriggerWorkflowRule", execution=run, id="nobody")
    if "not supported" in refusal.details():
        raw.terminate(run)
        pytest.skip("this server applies no rules to single runs")
    assert refusal.details() == NOT_FOUND[1]
    for activity_type, applied in [("other", False), ("charge", True), ("charge", False)]:
        spec = pausing("once", f"ActivityType = '{activity_type}'")
        assert raw.call("TriggerWorkflowRule", execution=run, spec=spec).applied == applied
    assert pending(raw, run).pause_info.rule.rule_id == "once"
    raw.terminate(run)
