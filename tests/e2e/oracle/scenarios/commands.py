"""Every command, well-formed and not."""

import time

from temporalio.api.enums.v1 import CommandType

from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payload, payloads, seconds

SCENARIOS = Registry()

LONG = "x" * 1001
REUSE_SECONDS = 1.2
"""A workflow that continues faster waits."""
CONTINUES = CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION
STARTS_CHILD = CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION
ACTIVITY = {
    "activity_id": "a",
    "activity_type": {"name": "activity"},
    "task_queue": {"name": "elsewhere"},
    "start_to_close_timeout": seconds(10),
}
CHILD = {
    "workflow_id": "child",
    "workflow_type": {"name": "child"},
    "task_queue": {"name": "elsewhere"},
}


def activity(**fields: object):
    return command("SCHEDULE_ACTIVITY_TASK", **(ACTIVITY | fields))


def timer(**fields: object):
    return command(
        "START_TIMER", **({"timer_id": "t", "start_to_fire_timeout": seconds(60)} | fields)
    )


def marker(**fields: object):
    return command("RECORD_MARKER", **({"marker_name": "m"} | fields))


def child(**fields: object):
    return command("START_CHILD_WORKFLOW_EXECUTION", **(CHILD | fields))


def signal(**fields: object):
    return command(
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
        **(
            {"namespace": "default", "execution": {"workflow_id": "nobody"}, "signal_name": "s"}
            | fields
        ),
    )


def cancel_external(**fields: object):
    return command(
        "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
        **({"namespace": "default", "workflow_id": "nobody"} | fields),
    )


def anew(**fields: object):
    return command(
        "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
        **({"workflow_type": {"name": "workflow"}} | fields),
    )


def nexus(**fields: object):
    return command(
        "SCHEDULE_NEXUS_OPERATION",
        **({"endpoint": "nowhere", "service": "s", "operation": "o"} | fields),
    )


def upsert(name: str, value: bytes):
    return command(
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        search_attributes={"indexed_fields": {name: payload(value)}},
    )


def complete(**fields: object):
    return command("COMPLETE_WORKFLOW_EXECUTION", **fields)


ROWS = {
    "none": [],
    "activity": [activity()],
    "activity-in-full": [
        activity(
            header={"fields": {"h": payload(b"1")}},
            input=payloads(b"1"),
            schedule_to_close_timeout=seconds(100),
            schedule_to_start_timeout=seconds(50),
            heartbeat_timeout=seconds(5),
            retry_policy={"maximum_attempts": 4},
            priority={"priority_key": 1},
        )
    ],
    "activity-on-the-workflow's-queue": [activity(task_queue={})],
    "activity-without-timeouts": [activity(start_to_close_timeout={})],
    "activity-schedule-to-close-only": [
        activity(start_to_close_timeout={}, schedule_to_close_timeout=seconds(7))
    ],
    "activity-heartbeat-above-start-to-close": [activity(heartbeat_timeout=seconds(50))],
    "activity-schedule-to-start-above-schedule-to-close": [
        activity(schedule_to_close_timeout=seconds(5), schedule_to_start_timeout=seconds(50))
    ],
    "activity-negative-timeout": [activity(start_to_close_timeout=seconds(-1))],
    "activity-without-id": [activity(activity_id="")],
    "activity-without-type": [activity(activity_type={})],
    "activity-long-id": [activity(activity_id=LONG)],
    "activity-long-type": [activity(activity_type={"name": LONG})],
    "activity-long-queue": [activity(task_queue={"name": LONG})],
    "activity-reserved-queue": [activity(task_queue={"name": "/_sys/x"})],
    "activity-bad-retry-policy": [activity(retry_policy={"backoff_coefficient": 0.5})],
    "activity-bad-priority": [activity(priority={"priority_key": -3})],
    "activity-twice": [activity(), activity()],
    "activity-cancelled-at-once": [
        activity(),
        command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5),
    ],
    "cancel-unknown-activity": [command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=77)],
    "cancel-activity-without-id": [command("REQUEST_CANCEL_ACTIVITY_TASK")],
    "timer": [timer()],
    "timer-without-id": [timer(timer_id="")],
    "timer-long-id": [timer(timer_id=LONG)],
    "timer-negative": [timer(start_to_fire_timeout=seconds(-1))],
    "timer-twice": [timer(), timer()],
    "timer-cancelled-at-once": [timer(), command("CANCEL_TIMER", timer_id="t")],
    "cancel-unknown-timer": [command("CANCEL_TIMER", timer_id="t")],
    "cancel-timer-without-id": [command("CANCEL_TIMER")],
    "marker": [marker(details={"d": payloads(b"1")}, header={"fields": {"h": payload(b"2")}})],
    "marker-with-failure": [marker(failure=failure())],
    "marker-without-name": [marker(marker_name="")],
    "marker-long-name": [marker(marker_name=LONG)],
    "upsert": [upsert("CustomKeywordField", b'"k"')],
    "upsert-twice": [upsert("CustomIntField", b"1"), upsert("CustomIntField", b"2")],
    "upsert-null": [upsert("CustomIntField", b"null")],
    "upsert-nothing": [command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")],
    "upsert-unknown": [upsert("Nope", b"1")],
    "upsert-system": [upsert("WorkflowType", b'"x"')],
    "upsert-wrong-type": [upsert("CustomIntField", b'"x"')],
    "memo": [
        command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo={"fields": {"note": payload(b'"n"')}})
    ],
    "memo-null": [
        command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo={"fields": {"note": payload(b"null")}})
    ],
    "memo-nothing": [command("MODIFY_WORKFLOW_PROPERTIES")],
    "complete": [complete(result=payloads(b"1"))],
    "complete-not-last": [complete(), marker()],
    "complete-twice": [complete(), complete()],
    "fail": [command("FAIL_WORKFLOW_EXECUTION", failure=failure())],
    "fail-without-failure": [command("FAIL_WORKFLOW_EXECUTION")],
    "fail-in-full": [
        command(
            "FAIL_WORKFLOW_EXECUTION",
            failure={
                "message": "outer",
                "source": "test",
                "stack_trace": "here",
                "application_failure_info": {"type": "T", "details": payloads(b"1")},
                "cause": {"message": "inner", "timeout_failure_info": {"timeout_type": 1}},
            },
        )
    ],
    "cancel": [command("CANCEL_WORKFLOW_EXECUTION", details=payloads(b"1"))],
    "continue-as-new": [anew(input=payloads(b"2"))],
    "continue-as-new-in-full": [
        anew(
            workflow_type={"name": "next"},
            workflow_run_timeout=seconds(50),
            workflow_task_timeout=seconds(5),
            memo={"fields": {"m": payload(b"1")}},
            header={"fields": {"h": payload(b"1")}},
            search_attributes={"indexed_fields": {"CustomIntField": payload(b"3")}},
            retry_policy={"maximum_attempts": 5},
            initiator="CONTINUE_AS_NEW_INITIATOR_WORKFLOW",
        )
    ],
    "continue-as-new-with-delay": [anew(backoff_start_interval=seconds(1))],
    "continue-as-new-without-type": [anew(workflow_type={})],
    "continue-as-new-negative-timeout": [anew(workflow_run_timeout=seconds(-1))],
    "continue-as-new-null-attribute": [
        anew(
            search_attributes={"indexed_fields": {"CustomIntField": payload(b"null")}},
            memo={"fields": {"m": payload(b"null")}},
        )
    ],
    "continue-as-new-wrong-type": [
        anew(search_attributes={"indexed_fields": {"CustomIntField": payload(b'"x"')}})
    ],
    "continue-as-new-long-queue": [anew(task_queue={"name": LONG})],
    "continue-as-new-bad-attribute": [
        anew(search_attributes={"indexed_fields": {"Nope": payload(b"3")}})
    ],
    "child": [child()],
    "child-without-id": [child(workflow_id="")],
    "child-without-type": [child(workflow_type={})],
    "child-long-id": [child(workflow_id=LONG)],
    "child-bad-retry-policy": [child(retry_policy={"maximum_attempts": -1})],
    "child-bad-cron": [child(cron_schedule="at noon")],
    "child-negative-timeout": [child(workflow_run_timeout=seconds(-1))],
    "child-unknown-namespace": [child(namespace="nowhere")],
    "child-null-attribute": [
        child(
            search_attributes={"indexed_fields": {"CustomIntField": payload(b"null")}},
            memo={"fields": {"m": payload(b"null")}},
        )
    ],
    "child-wrong-type": [
        child(search_attributes={"indexed_fields": {"CustomIntField": payload(b'"x"')}})
    ],
    "child-bad-attribute": [child(search_attributes={"indexed_fields": {"Nope": payload(b"3")}})],
    "signal-external": [signal()],
    "signal-external-without-execution": [signal(execution={})],
    "signal-external-without-name": [signal(signal_name="")],
    "signal-external-bad-run": [signal(execution={"workflow_id": "x", "run_id": "no-uuid"})],
    "signal-external-unknown-namespace": [signal(namespace="nowhere")],
    "cancel-external": [cancel_external()],
    "cancel-external-without-id": [cancel_external(workflow_id="")],
    "cancel-external-bad-run": [cancel_external(run_id="no-uuid")],
    "nexus-unknown-endpoint": [nexus()],
    "nexus-without-endpoint": [nexus(endpoint="")],
    "nexus-without-service": [nexus(service="")],
    "cancel-unknown-nexus-operation": [
        command("REQUEST_CANCEL_NEXUS_OPERATION", scheduled_event_id=5)
    ],
    "protocol-message-unknown": [command("PROTOCOL_MESSAGE", message_id="nope")],
}


def decided(world: World, commands: list) -> None:
    run = world.start()
    if any(one.command_type == CONTINUES for one in commands):
        grow_up(world)
    world.turn(*commands)
    if any(one.command_type == STARTS_CHILD for one in commands):
        world.wait(lambda: len(world.events(run)) != 5, "the child")


def grow_up(world: World) -> None:
    """Lets the run live so long that it may continue at once."""
    begun = time.monotonic()
    world.wait(lambda: time.monotonic() > begun + REUSE_SECONDS, "nothing")


SCENARIOS.table("command", ROWS, decided)


@SCENARIOS
def an_unknown_command_type(world: World) -> None:
    from temporalio.api.command.v1 import Command

    world.start()
    world.turn(Command(command_type=0))


@SCENARIOS
def command_without_attributes(world: World) -> None:
    from temporalio.api.command.v1 import Command

    world.start()
    world.turn(Command(command_type="COMMAND_TYPE_START_TIMER"))


@SCENARIOS
def a_command_with_user_metadata(world: World) -> None:
    world.start()
    made = timer()
    made.user_metadata.summary.data = b"s"
    world.turn(made)


@SCENARIOS
def a_bad_command_rolls_back_the_good_ones(world: World) -> None:
    world.start()
    world.turn(timer(), marker(), command("CANCEL_TIMER", timer_id="other"))
    world.turn(timer())


@SCENARIOS
def a_timer_without_a_timeout_fires_at_once(world: World) -> None:
    run = world.start()
    world.turn(timer(start_to_fire_timeout={}))
    world.wait_for_event(run, "TIMER_FIRED")


@SCENARIOS
def a_timer_fires(world: World) -> None:
    world.start()
    world.turn(timer(start_to_fire_timeout=seconds(1)))
    world.finish()


@SCENARIOS
def a_timer_is_cancelled_later(world: World) -> None:
    run = world.start()
    world.turn(timer())
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.turn(command("CANCEL_TIMER", timer_id="t"))


@SCENARIOS
def a_timer_id_is_free_after_it_was_cancelled(world: World) -> None:
    world.start()
    world.turn(timer(), command("CANCEL_TIMER", timer_id="t"), timer())
