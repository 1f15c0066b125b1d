"""Nexus: operations that workflows call, and the workers that handle them."""

from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payload, seconds

SCENARIOS = Registry()


def endpoint(world: World) -> str:
    """Makes an endpoint for the scenario's own queue, without a record."""
    from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest

    spec = {
        "name": f"endpoint-{world.tag}",
        "target": {"worker": {"namespace": "default", "task_queue": world.name("nexus")}},
    }
    world.raw.operator.CreateNexusEndpoint(CreateNexusEndpointRequest(spec=spec))
    return spec["name"]


def called(world: World, **fields: object):
    """A run that has called an operation."""
    fields = {
        "endpoint": endpoint(world),
        "service": "service",
        "operation": "operation",
        "input": payload(b"1"),
        "nexus_header": {"key": "value"},
    } | fields
    run = world.start()
    world.turn(command("SCHEDULE_NEXUS_OPERATION", **fields))
    return run


def take(world: World) -> bytes:
    task = world.call("PollNexusTaskQueue", timeout=6.0, task_queue={"name": world.name("nexus")})
    return task.task_token if task else b""


def answer(world: World, response: dict) -> None:
    world.call("RespondNexusTaskCompleted", task_token=take(world), response=response)


ANSWERS = {
    "success": {"start_operation": {"sync_success": {"payload": payload(b"2")}}},
    "failure": {
        "start_operation": {
            "operation_error": {
                "operation_state": "failed",
                "failure": {"message": "no", "metadata": {"m": "n"}},
            }
        }
    },
    "canceled": {
        "start_operation": {
            "operation_error": {"operation_state": "canceled", "failure": {"message": "no"}}
        }
    },
    "failure-as-a-failure": {"start_operation": {"failure": failure("no")}},
    "nothing": {"start_operation": {}},
}

ENDS = {
    "success": "COMPLETED",
    "failure": "FAILED",
    "canceled": "CANCELED",
    "failure-as-a-failure": "FAILED",
}


def answered(world: World, name: str) -> None:
    run = called(world)
    answer(world, ANSWERS[name])
    if name in ENDS:
        world.wait_for_event(run, f"NEXUS_OPERATION_{ENDS[name]}")
        world.finish()


SCENARIOS.table("answered", {name: name for name in ANSWERS}, answered)


@SCENARIOS
def called_without_an_input(world: World) -> None:
    called(world, input=None)
    answer(world, ANSWERS["success"])


HANDLER_ERRORS = {
    "bad-request": {"error_type": "BAD_REQUEST", "failure": {"message": "no"}},
    "not-found": {"error_type": "NOT_FOUND", "failure": {"message": "no"}},
    "internal-not-retried": {
        "error_type": "INTERNAL",
        "failure": {"message": "no"},
        "retry_behavior": "NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE",
    },
}


def refused(world: World, error: dict) -> None:
    run = called(world)
    world.call("RespondNexusTaskFailed", task_token=take(world), error=error)
    world.wait_for_event(run, "NEXUS_OPERATION_FAILED")


SCENARIOS.table("handler-error", HANDLER_ERRORS, refused)


@SCENARIOS
def tried_again(world: World) -> None:
    run = called(world)
    error = {"error_type": "UNAVAILABLE", "failure": {"message": "later"}}
    world.call("RespondNexusTaskFailed", task_token=take(world), error=error)

    def backs_off() -> bool:
        found = world.raw.call("DescribeWorkflowExecution", execution=run)
        return found.pending_nexus_operations[0].state == 2

    world.wait(backs_off, "the back-off")
    world.on("DescribeWorkflowExecution", run)
    answer(world, ANSWERS["success"])
    world.wait_for_event(run, "NEXUS_OPERATION_COMPLETED")


@SCENARIOS
def started(world: World) -> None:
    run = called(world)
    answer(world, {"start_operation": {"async_success": {"operation_token": "token"}}})
    world.wait_for_event(run, "NEXUS_OPERATION_STARTED")
    world.on("DescribeWorkflowExecution", run)


@SCENARIOS
def started_and_cancelled(world: World) -> None:
    run = called(world)
    answer(world, {"start_operation": {"async_success": {"operation_token": "token"}}})
    world.wait_for_event(run, "NEXUS_OPERATION_STARTED")
    world.turn(command("REQUEST_CANCEL_NEXUS_OPERATION", scheduled_event_id=5))
    answer(world, {"cancel_operation": {}})
    world.wait_for_event(run, "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED")


@SCENARIOS
def cancelled_before_it_started(world: World) -> None:
    run = called(world)
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.turn(command("REQUEST_CANCEL_NEXUS_OPERATION", scheduled_event_id=5))
    world.poll(seconds=3)


def out_of_time(world: World, field: str) -> None:
    run = called(world, **{field: seconds(1)})
    if field == "start_to_close_timeout":
        answer(world, {"start_operation": {"async_success": {"operation_token": "token"}}})
    world.wait_for_event(run, "NEXUS_OPERATION_TIMED_OUT")


SCENARIOS.table(
    "timeout",
    {
        "schedule-to-close": "schedule_to_close_timeout",
        "schedule-to-start": "schedule_to_start_timeout",
        "start-to-close": "start_to_close_timeout",
    },
    out_of_time,
)


def badly_called(world: World, fields: dict) -> None:
    called(world, **fields)


SCENARIOS.table(
    "refused",
    {
        "no-service": {"service": ""},
        "no-operation": {"operation": ""},
        "long-service": {"service": "x" * 1001},
        "long-operation": {"operation": "x" * 1001},
        "negative-timeout": {"schedule_to_close_timeout": seconds(-1)},
        "header": {"nexus_header": {"request-timeout": "1s"}},
    },
    badly_called,
)


@SCENARIOS
def terminated_with_an_operation(world: World) -> None:
    run = called(world)
    world.on("TerminateWorkflowExecution", run)


@SCENARIOS
def answers_with_bad_tokens(world: World) -> None:
    for token in (b"", b"garbage"):
        world.call("RespondNexusTaskCompleted", task_token=token, response={})
        world.call("RespondNexusTaskFailed", task_token=token, error={})


@SCENARIOS
def endpoints_updated_and_listed(world: World) -> None:
    target = {"worker": {"namespace": "default", "task_queue": world.queue}}
    name = f"endpoint-{world.tag}"
    made = world.operator("CreateNexusEndpoint", spec={"name": name, "target": target})
    spec = {"name": f"{name}-x", "target": target, "description": payload(b'"d"')}
    for version in (made.endpoint.version, 99):
        world.operator("UpdateNexusEndpoint", id=made.endpoint.id, version=version, spec=spec)
    world.operator("ListNexusEndpoints", name=f"{name}-x")
    world.operator("ListNexusEndpoints", name=name)
    world.operator("ListNexusEndpoints", page_size=-1)
