"""Children, and signals and cancellations for other workflows."""

import uuid

from oracle.scenarios.commands import grow_up, timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payload, payloads, seconds

SCENARIOS = Registry()

POLICIES = ("UNSPECIFIED", "TERMINATE", "ABANDON", "REQUEST_CANCEL")


def child(world: World, **fields: object):
    return command(
        "START_CHILD_WORKFLOW_EXECUTION",
        **{
            "workflow_id": world.name("child"),
            "workflow_type": {"name": "child"},
            "task_queue": {"name": world.name("children")},
        }
        | fields,
    )


def parent(world: World, **fields: object):
    """A parent whose child has started."""
    run = world.start()
    world.turn(child(world, **fields))
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_STARTED")
    return run


def in_child(world: World, *commands) -> None:
    """Takes the child's workflow task."""
    world.complete(world.poll(queue=world.name("children")), *commands)


ENDINGS = {
    "completed": ("COMPLETED", command("COMPLETE_WORKFLOW_EXECUTION", result=payloads(b"1"))),
    "failed": ("FAILED", command("FAIL_WORKFLOW_EXECUTION", failure=failure())),
    "canceled": ("CANCELED", command("CANCEL_WORKFLOW_EXECUTION", details=payloads(b"2"))),
}


def ends(world: World, row: tuple) -> None:
    name, ending = row
    run = parent(world)
    world.turn()
    in_child(world, ending)
    world.wait_for_event(run, f"CHILD_WORKFLOW_EXECUTION_{name}")
    world.finish()


SCENARIOS.table("ends", ENDINGS, ends)


@SCENARIOS
def terminated(world: World) -> None:
    run = parent(world)
    world.on("TerminateWorkflowExecution", {"workflow_id": world.name("child")}, reason="r")
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_TERMINATED")


@SCENARIOS
def timed_out(world: World) -> None:
    run = parent(world, workflow_run_timeout=seconds(1))
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_TIMED_OUT")


@SCENARIOS
def retried(world: World) -> None:
    run = parent(world, retry_policy={"maximum_attempts": 2, "initial_interval": seconds(1)})
    world.turn()
    in_child(world, command("FAIL_WORKFLOW_EXECUTION", failure=failure()))
    in_child(world, command("FAIL_WORKFLOW_EXECUTION", failure=failure()))
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_FAILED")


@SCENARIOS
def continued_as_new(world: World) -> None:
    run = parent(world)
    world.turn()
    anew = command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type={"name": "child"})
    grow_up(world)
    in_child(world, anew)
    in_child(world, command("COMPLETE_WORKFLOW_EXECUTION"))
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_COMPLETED")


@SCENARIOS
def with_an_id_that_runs_already(world: World) -> None:
    world.start(workflow_id=world.name("child"), task_queue={"name": world.name("children")})
    run = world.start()
    world.turn(child(world))
    world.wait_for_event(run, "START_CHILD_WORKFLOW_EXECUTION_FAILED")
    world.poll()


@SCENARIOS
def in_full(world: World) -> None:
    parent(
        world,
        input=payloads(b"1"),
        memo={"fields": {"m": payload(b"1")}},
        header={"fields": {"h": payload(b"1")}},
        search_attributes={"indexed_fields": {"CustomIntField": payload(b"3")}},
        workflow_execution_timeout=seconds(90),
        workflow_run_timeout=seconds(60),
        workflow_task_timeout=seconds(5),
        priority={"priority_key": 2},
    )


def closes(world: World, policy: str) -> None:
    parent(world, parent_close_policy=f"PARENT_CLOSE_POLICY_{policy}")
    world.finish()
    wanted = {
        "TERMINATE": "TERMINATED",
        "UNSPECIFIED": "TERMINATED",
        "REQUEST_CANCEL": "CANCEL_REQUESTED",
    }
    if policy in wanted:
        name = f"EVENT_TYPE_WORKFLOW_EXECUTION_{wanted[policy]}"
        world.wait(lambda: name in _child_events(world), name)


def _child_events(world: World) -> list[str]:
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.enums.v1 import EventType

    run = WorkflowExecution(workflow_id=world.name("child"))
    return [EventType.Name(event.event_type) for event in world.events(run)]


SCENARIOS.table("parent-closes", {policy.lower(): policy for policy in POLICIES}, closes)


@SCENARIOS
def cancelled_by_the_parent(world: World) -> None:
    run = parent(world)
    world.turn(
        command(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
            workflow_id=world.name("child"),
            child_workflow_only=True,
        )
    )
    world.wait_for_event(run, "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED")


@SCENARIOS
def signalled_by_the_parent(world: World) -> None:
    run = parent(world)
    world.turn(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution={"workflow_id": world.name("child")},
            signal_name="s",
            input=payloads(b"1"),
            control="c",
            header={"fields": {"h": payload(b"1")}},
            child_workflow_only=True,
        )
    )
    world.wait_for_event(run, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")


@SCENARIOS
def signal_for_another_workflow(world: World) -> None:
    world.start(workflow_id=world.name("other"), task_queue={"name": world.name("others")})
    run = world.start()
    world.turn(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution={"workflow_id": world.name("other")},
            signal_name="s",
        )
    )
    world.wait_for_event(run, "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED")
    world.poll()


@SCENARIOS
def signal_for_nobody(world: World) -> None:
    run = world.start()
    world.turn(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution={"workflow_id": world.name("nobody")},
            signal_name="s",
        )
    )
    world.wait_for_event(run, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    world.poll()


@SCENARIOS
def signal_for_a_foreign_child(world: World) -> None:
    world.start(workflow_id=world.name("other"), task_queue={"name": world.name("others")})
    run = world.start()
    world.turn(
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution={"workflow_id": world.name("other")},
            signal_name="s",
            child_workflow_only=True,
        )
    )
    world.wait_for_event(run, "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")


@SCENARIOS
def cancel_for_another_workflow(world: World) -> None:
    world.start(workflow_id=world.name("other"), task_queue={"name": world.name("others")})
    run = world.start()
    world.turn(
        command(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
            workflow_id=world.name("other"),
            control="c",
            reason="r",
        )
    )
    world.wait_for_event(run, "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    world.poll()


@SCENARIOS
def cancel_for_nobody(world: World) -> None:
    run = world.start()
    world.turn(
        command(
            "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION",
            workflow_id=world.name("nobody"),
            run_id=str(uuid.uuid4()),
        )
    )
    world.wait_for_event(run, "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED")
    world.poll()


@SCENARIOS
def the_parent_signals_itself(world: World) -> None:
    run = world.start()
    world.turn(
        timer(),
        command(
            "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION",
            execution={"workflow_id": world.name()},
            signal_name="s",
        ),
    )
    world.wait_for_event(run, "WORKFLOW_EXECUTION_SIGNALED")


@SCENARIOS
def a_pending_child_is_described(world: World) -> None:
    run = parent(world)
    world.on("DescribeWorkflowExecution", run)
