"""Calls about one run that are refused."""

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy
from temporalio.api.query.v1 import WorkflowQuery

from cases import INVALID, LONG, OVERSIZE, UNKNOWN_RUN, on, one_execution
from harness.raw import payloads, start_fields
from harness.sdk import unique

CONFLICT = "WORKFLOW_ID_CONFLICT_POLICY"
QUERY = {"query": WorkflowQuery(query_type="q")}

RUNS = [
    *one_execution("DescribeWorkflowExecution", "execution", {}),
    *one_execution("GetWorkflowExecutionHistory", "execution", {}),
    *one_execution("SignalWorkflowExecution", "workflow_execution", {"signal_name": "s"}),
    *one_execution("TerminateWorkflowExecution", "workflow_execution", {}),
    *one_execution("RequestCancelWorkflowExecution", "workflow_execution", {}),
    *one_execution("QueryWorkflow", "execution", QUERY),
    on(
        "unknown run",
        "DescribeWorkflowExecution",
        f'workflow execution not found for workflow ID "{{open}}" and run ID "{UNKNOWN_RUN}"',
        lambda scene: {
            "execution": WorkflowExecution(workflow_id=scene.open.workflow_id, run_id=UNKNOWN_RUN)
        },
    ),
    on(
        "closed",
        "SignalWorkflowExecution",
        "workflow execution already completed",
        lambda scene: {"workflow_execution": scene.closed, "signal_name": "s"},
    ),
    on(
        "closed",
        "TerminateWorkflowExecution",
        "workflow execution already completed",
        lambda scene: {"workflow_execution": scene.closed},
    ),
    on(
        "another first run",
        "TerminateWorkflowExecution",
        "workflow execution not found",
        lambda scene: {
            "workflow_execution": WorkflowExecution(workflow_id=scene.open.workflow_id),
            "first_execution_run_id": UNKNOWN_RUN,
        },
    ),
    on(
        "another first run",
        "RequestCancelWorkflowExecution",
        "workflow execution not found",
        lambda scene: {
            "workflow_execution": WorkflowExecution(workflow_id=scene.open.workflow_id),
            "first_execution_run_id": UNKNOWN_RUN,
        },
    ),
    on(
        "no signal name",
        "SignalWorkflowExecution",
        "SignalName is not set on request.",
        lambda scene: {"workflow_execution": scene.open},
        INVALID,
        None,
    ),
    on(
        "long signal name",
        "SignalWorkflowExecution",
        "SignalName length exceeds limit.",
        lambda scene: {"workflow_execution": scene.open, "signal_name": LONG},
        INVALID,
        None,
    ),
    on(
        "oversize input",
        "SignalWorkflowExecution",
        "Blob data size exceeds limit.",
        lambda scene: {
            "workflow_execution": scene.open,
            "signal_name": "s",
            "input": payloads(OVERSIZE),
        },
        INVALID,
        None,
    ),
    on(
        "conflict policy FAIL",
        "SignalWithStartWorkflowExecution",
        f"Invalid WorkflowIDConflictPolicy: {CONFLICT}_FAIL is not supported for this operation.",
        lambda scene: start_fields(
            scene.queue,
            unique("refused"),
            signal_name="s",
            workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        ),
        INVALID,
        None,
    ),
    on(
        "garbage page token",
        "GetWorkflowExecutionHistory",
        "Invalid NextPageToken.",
        lambda scene: {"execution": scene.open, "next_page_token": b"garbage"},
        INVALID,
        None,
    ),
    on(
        "no query",
        "QueryWorkflow",
        "WorkflowQuery is not set on request.",
        lambda scene: {"execution": scene.open},
        INVALID,
        None,
    ),
    on(
        "no query type",
        "QueryWorkflow",
        "QueryType is not set on request.",
        lambda scene: {"execution": scene.open, "query": WorkflowQuery()},
        INVALID,
        None,
    ),
    on(
        "closed before a workflow task",
        "QueryWorkflow",
        "Workflow execution closed before WorkflowTaskStarted event",
        lambda scene: {"execution": scene.closed} | QUERY,
        "FAILED_PRECONDITION",
        "WorkflowNotReadyFailure",
    ),
    on(
        "unknown workflow",
        "ResetStickyTaskQueue",
        "workflow not found for ID: {nobody}",
        lambda scene: {"execution": scene.nobody},
    ),
]
