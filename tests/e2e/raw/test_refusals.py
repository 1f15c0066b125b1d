"""Every call that is refused: its code, its text, its detail. One table, one check."""

import pytest
from temporalio.api.enums.v1 import WorkflowIdReusePolicy
from temporalio.api.errordetails.v1 import (
    NamespaceNotFoundFailure,
    WorkflowExecutionAlreadyStartedFailure,
)

from cases import INVALID, Case, Scene
from cases.others import NAMESPACES, VISIBILITY
from cases.runs import RUNS
from cases.starts import STARTS
from cases.tasks import TASKS
from harness.raw import Raw, Refusal, detail_of, start_fields

CASES = STARTS + RUNS + TASKS + NAMESPACES + VISIBILITY


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_a_wrong_call_is_refused_with_code_text_and_detail(raw: Raw, scene: Scene, case: Case):
    text = case.text.format(nobody=scene.nobody.workflow_id, open=scene.open.workflow_id)
    refused = raw.refused(case.method, **case.fields(scene))
    assert refused == Refusal(case.code, text, case.detail)


def test_refused_calls_change_nothing(raw: Raw, scene: Scene):
    for case in RUNS + TASKS:
        raw.refused(case.method, **case.fields(scene))
    raw.assert_history(scene.open, "Started WorkflowTaskScheduled")
    raw.assert_history(scene.closed, "Started WorkflowTaskScheduled Terminated")
    raw.assert_history(scene.busy, "Started WorkflowTask ActivityTaskScheduled")


def test_an_already_started_failure_names_the_run_in_the_way(raw: Raw, scene: Scene):
    fields = start_fields(scene.queue, scene.open.workflow_id)
    error = raw.error("StartWorkflowExecution", **fields)
    text = (
        f"Workflow execution is already running. WorkflowId: {scene.open.workflow_id}, "
        f"RunId: {scene.open.run_id}."
    )
    assert (error.code().name, error.details()) == ("ALREADY_EXISTS", text)
    detail = detail_of(error, WorkflowExecutionAlreadyStartedFailure)
    assert detail.run_id == scene.open.run_id
    assert detail.start_request_id
    fields = start_fields(
        scene.queue,
        scene.closed.workflow_id,
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    )
    error = raw.error("StartWorkflowExecution", **fields)
    text = (
        f"Workflow execution already finished. WorkflowId: {scene.closed.workflow_id}, "
        f"RunId: {scene.closed.run_id}. Workflow Id reuse policy: reject duplicate workflow Id."
    )
    assert (error.code().name, error.details()) == ("ALREADY_EXISTS", text)
    assert detail_of(error, WorkflowExecutionAlreadyStartedFailure).run_id == scene.closed.run_id


def test_a_namespace_not_found_failure_names_the_namespace(raw: Raw):
    error = raw.error("DescribeNamespace", namespace="nowhere")
    assert detail_of(error, NamespaceNotFoundFailure).namespace == "nowhere"


@pytest.mark.parametrize("query", ["!!", "WorkflowType =", "WorkflowType = Unquoted", "(("])
@pytest.mark.parametrize("method", ["ListWorkflowExecutions", "CountWorkflowExecutions"])
def test_a_malformed_list_filter_is_an_invalid_query(raw: Raw, method: str, query: str):
    refused = raw.refused(method, query=query)
    assert refused.code == INVALID
    assert refused.text.startswith("invalid query: ")
