"""Workflow tasks: failures, time-outs, buffered events, sticky queues, heartbeats."""

from concurrent.futures import ThreadPoolExecutor

from oracle.scenarios.commands import timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payloads, seconds

SCENARIOS = Registry()

CAUSES = (
    "UNSPECIFIED",
    "WORKFLOW_WORKER_UNHANDLED_FAILURE",
    "NON_DETERMINISTIC_ERROR",
    "BAD_BINARY",
    "GRPC_MESSAGE_TOO_LARGE",
    "PAYLOADS_TOO_LARGE",
    "UNHANDLED_COMMAND",
    "RESET_STICKY_TASK_QUEUE",
    "FORCE_CLOSE_COMMAND",
)


def failed_with(world: World, cause: str) -> None:
    world.start()
    fail(world, cause)
    world.poll(seconds=4)


def fail(world: World, cause: str = "WORKFLOW_WORKER_UNHANDLED_FAILURE") -> None:
    task = world.poll()
    world.call(
        "RespondWorkflowTaskFailed",
        task_token=task.task_token if task else b"",
        cause=f"WORKFLOW_TASK_FAILED_CAUSE_{cause}",
        failure=failure("cannot"),
    )


SCENARIOS.table("failed", {cause.lower(): cause for cause in CAUSES}, failed_with)


@SCENARIOS
def three_failures_leave_one_event(world: World) -> None:
    world.start()
    for _ in range(3):
        fail(world)
    world.poll()


@SCENARIOS
def a_signal_makes_a_transient_task_normal(world: World) -> None:
    run = world.start()
    fail(world)
    fail(world)
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.poll()
    world.poll(seconds=3)


@SCENARIOS
def a_workflow_task_times_out(world: World) -> None:
    run = world.start(workflow_task_timeout=seconds(1))
    world.poll()
    world.wait_for_event(run, "WORKFLOW_TASK_TIMED_OUT")
    world.poll()


@SCENARIOS
def a_late_completion_is_refused(world: World) -> None:
    run = world.start(workflow_task_timeout=seconds(1))
    task = world.poll()
    world.wait_for_event(run, "WORKFLOW_TASK_TIMED_OUT")
    world.complete(task, command("COMPLETE_WORKFLOW_EXECUTION"))


@SCENARIOS
def a_second_completion_is_refused(world: World) -> None:
    world.start()
    task = world.poll()
    world.complete(task, timer())
    world.complete(task, timer())


@SCENARIOS
def a_signal_during_a_task_is_buffered(world: World) -> None:
    run = world.start()
    task = world.poll()
    world.on("SignalWorkflowExecution", run, signal_name="s", input=payloads(b"1"))
    world.complete(task)
    world.poll()


@SCENARIOS
def closing_over_a_buffered_signal(world: World) -> None:
    run = world.start()
    task = world.poll()
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.complete(task, command("COMPLETE_WORKFLOW_EXECUTION"))
    world.on("SignalWorkflowExecution", run, signal_name="again")
    world.poll()


@SCENARIOS
def terminated_during_a_task(world: World) -> None:
    run = world.start()
    task = world.poll()
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.on("TerminateWorkflowExecution", run, reason="r", details=payloads(b"1"))
    world.complete(task)


@SCENARIOS
def the_run_times_out_during_a_task(world: World) -> None:
    run = world.start(workflow_run_timeout=seconds(1))
    world.poll()
    world.wait_for_event(run, "WORKFLOW_EXECUTION_TIMED_OUT")


@SCENARIOS
def a_heartbeat(world: World) -> None:
    world.start()
    world.turn(force_create_new_workflow_task=True)
    world.turn(command("COMPLETE_WORKFLOW_EXECUTION"))


@SCENARIOS
def a_new_task_in_the_answer(world: World) -> None:
    world.start()
    world.turn(return_new_workflow_task=True, force_create_new_workflow_task=True)


@SCENARIOS
def a_new_task_in_the_answer_when_there_is_none(world: World) -> None:
    world.start()
    world.turn(timer(), return_new_workflow_task=True)


@SCENARIOS
def a_sticky_task_has_a_partial_history(world: World) -> None:
    run = world.start()
    world.turn(timer(), sticky_attributes=_sticky(world))
    _signal_and_poll(world, run)


@SCENARIOS
def a_sticky_task_nobody_takes(world: World) -> None:
    run = world.start()
    world.turn(timer(), sticky_attributes=_sticky(world, seconds(1)))
    world.poll(seconds=3, task_queue=_sticky_queue(world))
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.wait_for_event(run, "WORKFLOW_TASK_TIMED_OUT")
    world.poll()


@SCENARIOS
def stickiness_is_reset(world: World) -> None:
    run = world.start()
    world.turn(timer(), sticky_attributes=_sticky(world))
    world.on("ResetStickyTaskQueue", run)
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.poll()


@SCENARIOS
def a_failed_sticky_task_goes_to_the_normal_queue(world: World) -> None:
    run = world.start()
    world.turn(timer(), sticky_attributes=_sticky(world))
    task = _signal_and_poll(world, run)
    world.call(
        "RespondWorkflowTaskFailed",
        task_token=task.task_token if task else b"",
        cause="WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR",
    )
    world.poll()


@SCENARIOS
def a_bad_completion_of_a_second_attempt_is_dropped(world: World) -> None:
    world.start(workflow_task_timeout=seconds(1))
    world.turn(command("CANCEL_TIMER", timer_id="t"))
    world.turn(command("CANCEL_TIMER", timer_id="t"))
    world.poll()


@SCENARIOS
def sdk_metadata_and_metering_are_kept(world: World) -> None:
    world.start()
    world.turn(
        timer(),
        sdk_metadata={"core_used_flags": [1, 2], "sdk_name": "x", "sdk_version": "1"},
        metering_metadata={"nonfirst_local_activity_execution_attempts": 3},
        binary_checksum="sum",
    )


@SCENARIOS
def pages_of_a_history(world: World) -> None:
    run = world.start()
    world.turn(timer())
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.on("GetWorkflowExecutionHistory", run, maximum_page_size=2, note="first page")
    world.on("GetWorkflowExecutionHistoryReverse", run, maximum_page_size=2)
    world.on(
        "GetWorkflowExecutionHistory",
        run,
        history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
        note="close event of an open run",
    )
    world.on("TerminateWorkflowExecution", run)
    world.on(
        "GetWorkflowExecutionHistory",
        run,
        wait_new_event=True,
        history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
        note="close event",
    )
    world.on("GetWorkflowExecutionHistory", run, next_page_token=b"garbage", note="bad token")


def _signal_and_poll(world: World, run):
    """Signals the run of a worker that waits at its own queue; gives the task that it gets."""
    queue = _sticky_queue(world)
    with ThreadPoolExecutor(1) as worker:
        # A task goes to this queue only if somebody is known to poll there, by a name.
        polled = worker.submit(world.poll, task_queue=queue, identity="worker")
        world.wait(lambda: _has_poller(world, queue), "a poll")
        world.on("SignalWorkflowExecution", run, signal_name="s")
        return polled.result()


def _has_poller(world: World, queue: dict) -> bool:
    fields = {"task_queue": queue, "task_queue_type": "TASK_QUEUE_TYPE_WORKFLOW"}
    described = world.call("DescribeTaskQueue", silent=True, **fields)
    return bool(described and described.pollers)


def _sticky_queue(world: World) -> dict:
    return {
        "name": world.name("sticky"),
        "kind": "TASK_QUEUE_KIND_STICKY",
        "normal_name": world.queue,
    }


def _sticky(world: World, timeout: dict | None = None) -> dict:
    return {
        "worker_task_queue": _sticky_queue(world),
        "schedule_to_start_timeout": timeout or seconds(60),
    }
