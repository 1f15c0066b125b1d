"""What runs without a workflow: standalone activities and standalone Nexus operations."""

import uuid

from oracle.scenarios.nexus import ANSWERS, HANDLER_ERRORS, answer, endpoint, take
from oracle.scenarios.registry import Registry
from oracle.world import World, failure, payload, payloads, seconds

SCENARIOS = Registry()


# Standalone activities.


def start_activity(world: World, name: str = "activity", **fields: object):
    fields = {
        "activity_id": world.name(name),
        "activity_type": {"name": "activity"},
        "task_queue": {"name": world.queue},
        "start_to_close_timeout": seconds(10),
        "request_id": str(uuid.uuid4()),
        "input": payloads(b"1"),
    } | fields
    return world.call("StartActivityExecution", **fields)


def described_activity(world: World, name: str = "activity") -> None:
    """Its description and its outcome."""
    of = {"activity_id": world.name(name)}
    world.call("DescribeActivityExecution", include_input=True, include_outcome=True, **of)
    world.call("PollActivityExecution", timeout=3.0, **of)


def activity_token(world: World) -> bytes:
    task = world.poll_activity()
    return task.task_token if task else b""


@SCENARIOS
def activity_completed(world: World) -> None:
    start_activity(world)
    described_activity(world)
    token = activity_token(world)
    world.call("RecordActivityTaskHeartbeat", task_token=token, details=payloads(b"2"))
    world.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"3"))
    described_activity(world)


@SCENARIOS
def activity_failed_for_good(world: World) -> None:
    start_activity(world)
    world.call(
        "RespondActivityTaskFailed",
        task_token=activity_token(world),
        failure=failure(non_retryable=True),
    )
    described_activity(world)


@SCENARIOS
def activity_tried_again(world: World) -> None:
    start_activity(world, retry_policy={"initial_interval": seconds(0.2), "maximum_attempts": 2})
    for _ in range(2):
        token = activity_token(world)
        world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    described_activity(world)


@SCENARIOS
def activity_cancelled(world: World) -> None:
    start_activity(world)
    token = activity_token(world)
    world.call(
        "RequestCancelActivityExecution",
        activity_id=world.name("activity"),
        reason="enough",
        request_id="c",
    )
    world.call("RecordActivityTaskHeartbeat", task_token=token)
    world.call("RespondActivityTaskCanceled", task_token=token, details=payloads(b"4"))
    described_activity(world)


@SCENARIOS
def activity_terminated(world: World) -> None:
    start_activity(world)
    of = {"activity_id": world.name("activity"), "reason": "enough"}
    world.call("TerminateActivityExecution", request_id="t", **of)
    world.call("TerminateActivityExecution", request_id="u", **of)
    world.call("RequestCancelActivityExecution", request_id="c", **of)
    described_activity(world)


def activity_times_out(world: World, field: str) -> None:
    start_activity(world, retry_policy={"maximum_attempts": 1}, **{field: seconds(1)})
    if field == "start_to_close_timeout":
        activity_token(world)
    described_activity(world)


SCENARIOS.table(
    "activity-timeout",
    {
        "schedule-to-close": "schedule_to_close_timeout",
        "schedule-to-start": "schedule_to_start_timeout",
        "start-to-close": "start_to_close_timeout",
    },
    activity_times_out,
)

POLICIES = {
    "default": {},
    "use-existing": {"id_conflict_policy": 2},
    "failed-only": {"id_reuse_policy": 2},
    "reject": {"id_reuse_policy": 3},
}


def activity_id_again(world: World, fields: dict) -> None:
    start_activity(world)
    start_activity(world, **fields)
    token = activity_token(world)
    world.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"3"))
    start_activity(world, **fields)


SCENARIOS.table("activity-id-again", POLICIES, activity_id_again)


def activity_refused(world: World, fields: dict) -> None:
    start_activity(world, **fields)


SCENARIOS.table(
    "activity-refused",
    {
        "no-id": {"activity_id": ""},
        "no-type": {"activity_type": {}},
        "no-queue": {"task_queue": {}},
        "no-timeout": {"start_to_close_timeout": None},
        "negative-timeout": {"start_to_close_timeout": seconds(-1)},
        "long-id": {"activity_id": "x" * 1001},
        "negative-attempts": {"retry_policy": {"maximum_attempts": -1}},
        "search-attribute": {"search_attributes": {"indexed_fields": {"Nobody": payload(b"1")}}},
    },
    activity_refused,
)


# Standalone Nexus operations.


def start_operation(world: World, name: str = "operation", **fields: object):
    fields = {
        "operation_id": world.name(name),
        "endpoint": f"endpoint-{world.tag}",
        "service": "service",
        "operation": "operation",
        "input": payload(b"1"),
        "nexus_header": {"key": "value"},
        "request_id": str(uuid.uuid4()),
    } | fields
    return world.call("StartNexusOperationExecution", **fields)


def described_operation(world: World, name: str = "operation") -> None:
    world.call(
        "DescribeNexusOperationExecution",
        operation_id=world.name(name),
        include_input=True,
        include_outcome=True,
    )


def waited_operation(world: World, stage: int = 2, seconds: float = 3.0) -> None:
    """Waits for a stage, and describes the operation then."""
    world.call(
        "PollNexusOperationExecution",
        timeout=seconds,
        operation_id=world.name("operation"),
        wait_stage=stage,
    )
    described_operation(world)


def operation_answered(world: World, name: str) -> None:
    endpoint(world)
    start_operation(world)
    answer(world, ANSWERS[name])
    if name != "nothing":
        waited_operation(world)


SCENARIOS.table("operation-answered", {name: name for name in ANSWERS}, operation_answered)


def operation_refused_by_its_handler(world: World, error: dict) -> None:
    endpoint(world)
    start_operation(world)
    world.call("RespondNexusTaskFailed", task_token=take(world), error=error)
    waited_operation(world)


SCENARIOS.table("operation-handler-error", HANDLER_ERRORS, operation_refused_by_its_handler)


@SCENARIOS
def operation_scheduled(world: World) -> None:
    endpoint(world)
    start_operation(world, user_metadata={"summary": payload(b'"s"')})
    described_operation(world)


ASYNC = {"start_operation": {"async_success": {"operation_token": "token"}}}


@SCENARIOS
def operation_started(world: World) -> None:
    endpoint(world)
    start_operation(world)
    answer(world, ASYNC)
    waited_operation(world, stage=1)


@SCENARIOS
def operation_started_and_cancelled(world: World) -> None:
    endpoint(world)
    start_operation(world)
    answer(world, ASYNC)
    waited_operation(world, stage=1)
    of = {"operation_id": world.name("operation"), "reason": "enough"}
    world.call("RequestCancelNexusOperationExecution", request_id="c", **of)
    world.call("RequestCancelNexusOperationExecution", request_id="c", **of)
    world.call("RequestCancelNexusOperationExecution", request_id="other", **of)
    answer(world, {"cancel_operation": {}})

    def cancelled() -> bool:
        found = world.raw.call(
            "DescribeNexusOperationExecution", operation_id=world.name("operation")
        )
        return found.info.cancellation_info.attempt == 1

    world.wait(cancelled, "the answer to the cancellation")
    described_operation(world)


@SCENARIOS
def operation_terminated(world: World) -> None:
    endpoint(world)
    start_operation(world)
    of = {"operation_id": world.name("operation"), "reason": "enough"}
    world.call("TerminateNexusOperationExecution", request_id="t", **of)
    world.call("TerminateNexusOperationExecution", request_id="t", **of)
    world.call("TerminateNexusOperationExecution", request_id="u", **of)
    world.call("RequestCancelNexusOperationExecution", request_id="c", **of)
    waited_operation(world)


def operation_times_out(world: World, field: str) -> None:
    endpoint(world)
    start_operation(world, **{field: seconds(1)})
    if field == "start_to_close_timeout":
        answer(world, ASYNC)
    waited_operation(world, seconds=5.0)


SCENARIOS.table(
    "operation-timeout",
    {
        "schedule-to-close": "schedule_to_close_timeout",
        "schedule-to-start": "schedule_to_start_timeout",
        "start-to-close": "start_to_close_timeout",
    },
    operation_times_out,
)


def operation_id_again(world: World, fields: dict) -> None:
    endpoint(world)
    start_operation(world)
    start_operation(world, **fields)
    answer(world, ANSWERS["success"])
    waited_operation(world)
    start_operation(world, **fields)


SCENARIOS.table("operation-id-again", POLICIES, operation_id_again)


def operation_refused(world: World, fields: dict) -> None:
    endpoint(world)
    start_operation(world, **fields)


SCENARIOS.table(
    "operation-refused",
    {
        "no-id": {"operation_id": ""},
        "no-endpoint": {"endpoint": ""},
        "unknown-endpoint": {"endpoint": "nobody"},
        "no-service": {"service": ""},
        "no-operation": {"operation": ""},
        "long-id": {"operation_id": "x" * 1001},
        "long-service": {"service": "x" * 1001},
        "long-operation": {"operation": "x" * 1001},
        "negative-timeout": {"schedule_to_close_timeout": seconds(-1)},
        "header": {"nexus_header": {"request-timeout": "1s"}},
        "reuse-policy": {"id_reuse_policy": 99},
        "search-attribute": {"search_attributes": {"indexed_fields": {"Nobody": payload(b"1")}}},
    },
    operation_refused,
)


@SCENARIOS
def operation_unknown(world: World) -> None:
    for method in ("Describe", "Poll", "RequestCancel", "Terminate", "Delete"):
        of = {"wait_stage": 2} if method == "Poll" else {}
        name = f"{method}NexusOperationExecution"
        world.call(name, operation_id=world.name("nobody"), **of)
        world.call(name, operation_id="", **of)
        world.call(name, operation_id="x", run_id="no uuid", **of)


@SCENARIOS
def operation_deleted(world: World) -> None:
    endpoint(world)
    start_operation(world)
    world.call("DeleteNexusOperationExecution", operation_id=world.name("operation"))

    def gone() -> bool:
        query = f"OperationId = '{world.name('operation')}'"
        return world.raw.call("CountNexusOperationExecutions", query=query).count == 0

    world.wait(gone, "the deletion")


@SCENARIOS
def operations_listed(world: World) -> None:
    endpoint(world)
    start_operation(world)
    query = f"Endpoint = 'endpoint-{world.tag}'"

    def there() -> bool:
        return world.raw.call("CountNexusOperationExecutions", query=query).count == 1

    world.wait(there, "the index")
    world.call("ListNexusOperationExecutions", query=query)
    world.call("CountNexusOperationExecutions", query=f"{query} AND ExecutionStatus = 'Running'")
    for wrong in ("!!", "Nobody = 1", "WorkflowId = 'x'"):
        world.call("ListNexusOperationExecutions", query=wrong)
