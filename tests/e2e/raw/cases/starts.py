"""Starts that are refused."""

from temporalio.api.common.v1 import Memo, Priority, RetryPolicy, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue

from cases import LONG, NOT_FOUND, OVERSIZE, seconds, start
from harness.raw import payload, payloads

REUSE = "WORKFLOW_ID_REUSE_POLICY"
CONFLICT = "WORKFLOW_ID_CONFLICT_POLICY"

STARTS = [
    start("no namespace", "Namespace is empty.", namespace=""),
    start(
        "unknown namespace",
        "Namespace nowhere is not found.",
        NOT_FOUND,
        "NamespaceNotFoundFailure",
        namespace="nowhere",
    ),
    start("no workflow id", "WorkflowId is not set on request.", workflow_id=""),
    start("no type", "WorkflowType is not set on request.", workflow_type=WorkflowType()),
    start("no task queue", "missing task queue name", task_queue=TaskQueue()),
    start(
        "long workflow id",
        "WorkflowId exceeds maximum allowed length (1001/1000)",
        workflow_id=LONG,
    ),
    start("long type", "WorkflowType length exceeds limit.", workflow_type=WorkflowType(name=LONG)),
    start("long queue", "taskQueue length exceeds limit", task_queue=TaskQueue(name=LONG)),
    start("long request id", "RequestId length exceeds limit.", request_id=LONG),
    start(
        "reserved queue",
        "task queue name cannot start with reserved prefix /_sys/",
        task_queue=TaskQueue(name="/_sys/mine"),
    ),
    start(
        "negative execution timeout",
        "An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration",
        workflow_execution_timeout=seconds(-1),
    ),
    start(
        "negative run timeout",
        "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration",
        workflow_run_timeout=seconds(-1),
    ),
    start(
        "negative task timeout",
        "An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration",
        workflow_task_timeout=seconds(-1),
    ),
    start(
        "negative delay",
        "An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration",
        workflow_start_delay=seconds(-1),
    ),
    start(
        "delay with cron",
        "CronSchedule and WorkflowStartDelay may not be used together.",
        workflow_start_delay=seconds(1),
        cron_schedule="* * * * *",
    ),
    start("malformed cron", "invalid CronSchedule.", cron_schedule="at noon"),
    start(
        "small backoff coefficient",
        "BackoffCoefficient cannot be less than 1 on retry policy.",
        retry_policy=RetryPolicy(backoff_coefficient=0.5),
    ),
    start(
        "negative initial interval",
        "invalid InitialInterval set on retry policy: negative duration",
        retry_policy=RetryPolicy(initial_interval=seconds(-1)),
    ),
    start(
        "negative maximum interval",
        "invalid MaximumInterval set on retry policy: negative duration",
        retry_policy=RetryPolicy(maximum_interval=seconds(-1)),
    ),
    start(
        "maximum interval below the initial one",
        "MaximumInterval cannot be less than InitialInterval on retry policy.",
        retry_policy=RetryPolicy(initial_interval=seconds(5), maximum_interval=seconds(1)),
    ),
    start(
        "negative attempts",
        "MaximumAttempts cannot be negative on retry policy.",
        retry_policy=RetryPolicy(maximum_attempts=-1),
    ),
    start(
        "unknown timeout type in the retry policy",
        "Invalid timeout type value: Nope.",
        retry_policy=RetryPolicy(non_retryable_error_types=["TemporalTimeout:Nope"]),
    ),
    start(
        "unknown search attribute",
        "Namespace default has no mapping defined for search attribute Nope",
        search_attributes=SearchAttributes(indexed_fields={"Nope": payload(b'"x"')}),
    ),
    start(
        "system search attribute",
        "WorkflowType attribute can't be set in SearchAttributes",
        search_attributes=SearchAttributes(indexed_fields={"WorkflowType": payload(b'"x"')}),
    ),
    start(
        "search attribute of another type",
        "invalid value for search attribute CustomIntField of type Int: x",
        search_attributes=SearchAttributes(indexed_fields={"CustomIntField": payload(b'"x"')}),
    ),
    start(
        "reject with terminate",
        f"Invalid WorkflowIDReusePolicy: {REUSE}_REJECT_DUPLICATE cannot be used together with "
        f"WorkflowIdConflictPolicy {CONFLICT}_TERMINATE_EXISTING",
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        workflow_id_conflict_policy=(
            WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        ),
    ),
    start(
        "terminate if running with a conflict policy",
        f"Invalid WorkflowIDReusePolicy: {REUSE}_TERMINATE_IF_RUNNING cannot be used together "
        "with a WorkflowIDConflictPolicy",
        workflow_id_reuse_policy=(
            WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
        ),
        workflow_id_conflict_policy=(
            WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
        ),
    ),
    start("oversize input", "Blob data size exceeds limit.", input=payloads(OVERSIZE)),
    start(
        "oversize memo",
        "Memo size exceeds limit.",
        memo=Memo(fields={"large": payload(OVERSIZE)}),
    ),
    start(
        "negative priority", "priority key can't be negative", priority=Priority(priority_key=-1)
    ),
    start(
        "long fairness key",
        "fairness key length exceeds limit",
        priority=Priority(fairness_key="x" * 65),
    ),
]
