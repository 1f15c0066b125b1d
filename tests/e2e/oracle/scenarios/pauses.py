"""Workflows that are paused while something is on its way to them."""

from oracle.scenarios.commands import activity, timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payloads, seconds

SCENARIOS = Registry()


def pause(world: World, run, **fields: object) -> None:
    ids = {"workflow_id": run.workflow_id, "run_id": run.run_id}
    world.call("PauseWorkflowExecution", **ids, reason="r", request_id="p", **fields)


def unpause(world: World, run) -> None:
    ids = {"workflow_id": run.workflow_id, "run_id": run.run_id}
    world.call("UnpauseWorkflowExecution", **ids, reason="r", request_id="u")


@SCENARIOS
def during_the_start_delay(world: World) -> None:
    run = world.start(workflow_start_delay=seconds(60))
    pause(world, run)
    world.on("DescribeWorkflowExecution", run)


@SCENARIOS
def through_the_end_of_the_start_delay(world: World) -> None:
    run = world.start(workflow_start_delay=seconds(1))
    pause(world, run)
    world.poll(seconds=4)
    unpause(world, run)
    world.finish()


@SCENARIOS
def only_before_the_end_of_the_start_delay(world: World) -> None:
    run = world.start(workflow_start_delay=seconds(3))
    pause(world, run)
    unpause(world, run)
    world.finish()


@SCENARIOS
def a_signal_during_the_start_delay(world: World) -> None:
    run = world.start(workflow_start_delay=seconds(60))
    pause(world, run)
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.poll(seconds=3)
    unpause(world, run)
    world.poll()


@SCENARIOS
def a_timer_fires(world: World) -> None:
    run = world.start()
    world.turn(timer(start_to_fire_timeout=seconds(1)))
    pause(world, run)
    world.wait_for_event(run, "TIMER_FIRED")
    world.poll(seconds=3)
    unpause(world, run)
    world.finish()


@SCENARIOS
def an_activity_waits(world: World) -> None:
    run = world.start()
    world.turn(activity())
    pause(world, run)
    world.poll_activity(seconds=3)
    world.on("DescribeWorkflowExecution", run)
    unpause(world, run)
    task = world.poll_activity()
    world.call("RespondActivityTaskCompleted", task_token=task.task_token if task else b"")
    world.finish()


@SCENARIOS
def an_activity_fails(world: World) -> None:
    run = world.start()
    world.turn(activity(retry_policy={"initial_interval": seconds(1)}))
    task = world.poll_activity()
    pause(world, run)
    world.call(
        "RespondActivityTaskFailed",
        task_token=task.task_token if task else b"",
        failure=failure(),
    )
    world.poll_activity(seconds=4)
    world.on("DescribeWorkflowExecution", run)
    unpause(world, run)
    world.poll_activity()


@SCENARIOS
def an_activity_times_out(world: World) -> None:
    run = world.start()
    world.turn(activity(schedule_to_start_timeout=seconds(1)))
    pause(world, run)
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")
    world.poll(seconds=3)
    unpause(world, run)
    world.poll()


@SCENARIOS
def a_held_task_completes(world: World) -> None:
    run = world.start()
    task = world.poll()
    pause(world, run)
    world.complete(task, timer())
    world.on("DescribeWorkflowExecution", run)
    unpause(world, run)
    world.poll(seconds=3)


@SCENARIOS
def a_held_task_continues_as_new(world: World) -> None:
    run = world.start()
    task = world.poll()
    pause(world, run)
    next_run = {"workflow_type": {"name": "workflow"}, "task_queue": {"name": world.queue}}
    world.complete(task, command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", **next_run))


@SCENARIOS
def a_held_task_fails(world: World) -> None:
    run = world.start()
    task = world.poll()
    pause(world, run)
    world.call(
        "RespondWorkflowTaskFailed",
        task_token=task.task_token if task else b"",
        cause="WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE",
        failure=failure("cannot"),
    )
    world.poll(seconds=3)
    unpause(world, run)
    world.poll()


@SCENARIOS
def a_held_task_times_out(world: World) -> None:
    run = world.start(workflow_task_timeout=seconds(1))
    world.poll()
    pause(world, run)
    world.wait_for_event(run, "WORKFLOW_TASK_TIMED_OUT")
    world.poll(seconds=3)
    unpause(world, run)
    world.poll()


@SCENARIOS
def signalled_with_start(world: World) -> None:
    run = world.start()
    pause(world, run)
    world.call(
        "SignalWithStartWorkflowExecution",
        workflow_id=run.workflow_id,
        workflow_type={"name": "workflow"},
        task_queue={"name": world.queue},
        signal_name="s",
        signal_input=payloads(b"1"),
    )
    world.poll(seconds=3)


@SCENARIOS
def the_run_times_out(world: World) -> None:
    run = world.start(workflow_run_timeout=seconds(1))
    pause(world, run)
    world.wait_for_event(run, "WORKFLOW_EXECUTION_TIMED_OUT")


@SCENARIOS
def a_paused_run_is_terminated(world: World) -> None:
    run = world.start()
    pause(world, run)
    world.on("TerminateWorkflowExecution", run, reason="r")
