"""What happens to a run from outside: signals, cancellation, termination, deletion, reads."""

import uuid

from oracle.scenarios.commands import grow_up, timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, payload, payloads

SCENARIOS = Registry()

DELETION_SECONDS = 120.0
"""The reference deletes once it has seen to the run's close, which it asks itself now and then."""


@SCENARIOS
def signal_in_full(world: World) -> None:
    run = world.start()
    world.on(
        "SignalWorkflowExecution",
        run,
        signal_name="s",
        input=payloads(b"1"),
        header={"fields": {"h": payload(b"2")}},
        request_id="r1",
    )


@SCENARIOS
def a_repeated_signal_request_counts_once(world: World) -> None:
    run = world.start()
    request_id = str(uuid.uuid4())
    for _ in range(2):
        world.on("SignalWorkflowExecution", run, signal_name="s", request_id=request_id)


@SCENARIOS
def signal_without_a_name(world: World) -> None:
    world.on("SignalWorkflowExecution", world.start())


@SCENARIOS
def signal_to_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    world.on("SignalWorkflowExecution", run, signal_name="s")


@SCENARIOS
def cancel_requested(world: World) -> None:
    run = world.start()
    world.turn(timer())
    world.on("RequestCancelWorkflowExecution", run, reason="because")
    world.turn(command("CANCEL_WORKFLOW_EXECUTION"))


@SCENARIOS
def cancel_requested_twice(world: World) -> None:
    run = world.start()
    for _ in range(2):
        world.on("RequestCancelWorkflowExecution", run, request_id=str(uuid.uuid4()))


@SCENARIOS
def cancel_requested_twice_with_one_request(world: World) -> None:
    run = world.start()
    for _ in range(2):
        world.on("RequestCancelWorkflowExecution", run, request_id="one")


@SCENARIOS
def cancel_of_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    world.on("RequestCancelWorkflowExecution", run)


@SCENARIOS
def cancel_with_a_foreign_first_run(world: World) -> None:
    run = world.start()
    world.on("RequestCancelWorkflowExecution", run, first_execution_run_id=str(uuid.uuid4()))


@SCENARIOS
def terminate(world: World) -> None:
    run = world.start()
    world.on("TerminateWorkflowExecution", run, reason="r", details=payloads(b"1"))


@SCENARIOS
def terminate_twice(world: World) -> None:
    run = world.start()
    world.on("TerminateWorkflowExecution", run)
    world.on("TerminateWorkflowExecution", run)


@SCENARIOS
def terminate_with_a_foreign_first_run(world: World) -> None:
    run = world.start()
    world.on("TerminateWorkflowExecution", run, first_execution_run_id=str(uuid.uuid4()))


@SCENARIOS
def delete_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    world.on("DeleteWorkflowExecution", run)
    world.wait(lambda: not world.events(run), "deletion", DELETION_SECONDS)


@SCENARIOS
def delete_an_open_run(world: World) -> None:
    run = world.start()
    world.on("DeleteWorkflowExecution", run)
    world.wait(lambda: not world.events(run), "deletion", DELETION_SECONDS)


@SCENARIOS
def delete_twice(world: World) -> None:
    run = world.start()
    world.finish()
    world.on("DeleteWorkflowExecution", run)
    world.wait(lambda: not world.events(run), "deletion", DELETION_SECONDS)
    world.on("DeleteWorkflowExecution", run)


@SCENARIOS
def the_current_run_by_its_workflow_id(world: World) -> None:
    world.start()
    world.finish()
    world.start()
    world.on("DescribeWorkflowExecution", {"workflow_id": world.name()})
    world.on("GetWorkflowExecutionHistory", {"workflow_id": world.name()})


@SCENARIOS
def continued_as_new_twice(world: World) -> None:
    run = world.start(memo={"fields": {"m": payload(b"1")}}, input=payloads(b"1"))
    for _ in range(2):
        grow_up(world)
        world.turn(
            command(
                "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
                workflow_type={"name": "workflow"},
                task_queue={"name": world.queue},
            )
        )
    world.finish()
    world.on("DescribeWorkflowExecution", run)


@SCENARIOS
def workflow_options_updated(world: World) -> None:
    run = world.start()
    world.on(
        "UpdateWorkflowExecutionOptions",
        run,
        workflow_execution_options={"versioning_override": {"auto_upgrade": True}},
        update_mask={"paths": ["versioning_override"]},
    )


@SCENARIOS
def workflow_options_with_a_bad_mask(world: World) -> None:
    run = world.start()
    world.on(
        "UpdateWorkflowExecutionOptions",
        run,
        workflow_execution_options={},
        update_mask={"paths": ["nothing"]},
    )


@SCENARIOS
def workflow_options_without_a_mask(world: World) -> None:
    world.on("UpdateWorkflowExecutionOptions", world.start(), workflow_execution_options={})


@SCENARIOS
def a_poll_with_too_little_time(world: World) -> None:
    world.call("PollWorkflowTaskQueue", timeout=1.0, task_queue={"name": world.queue})


@SCENARIOS
def a_poll_that_gets_nothing(world: World) -> None:
    world.poll(seconds=3)
    world.poll_activity(seconds=3)


@SCENARIOS
def a_poll_without_a_queue(world: World) -> None:
    world.call("PollWorkflowTaskQueue")
    world.call("PollActivityTaskQueue")
    world.call("PollNexusTaskQueue")
