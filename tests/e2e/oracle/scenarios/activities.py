"""Activities: every way to end, retries, time-outs, heartbeats, by id, from outside."""

from oracle.scenarios.commands import activity
from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payloads, seconds

SCENARIOS = Registry()

ONCE = {"maximum_attempts": 1}
QUICK = {"initial_interval": seconds(1), "maximum_attempts": 2}


def scheduled(world: World, retry: dict | None = None, **fields: object):
    """A run with one activity on its own queue; gives the run."""
    run = world.start()
    world.turn(activity(task_queue={"name": world.queue}, retry_policy=retry or ONCE, **fields))
    return run


def taken(world: World, **fields: object):
    """A run and its activity's task."""
    run = scheduled(world, **fields)
    task = world.poll_activity()
    return run, task.task_token if task else b""


@SCENARIOS
def completed(world: World) -> None:
    _, token = taken(world)
    world.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"1"))
    world.finish()


@SCENARIOS
def failed(world: World) -> None:
    _, token = taken(world)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.finish()


@SCENARIOS
def failed_and_retried(world: World) -> None:
    run, token = taken(world, retry=QUICK)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.on("DescribeWorkflowExecution", run)
    task = world.poll_activity()
    world.call(
        "RespondActivityTaskCompleted",
        task_token=task.task_token if task else b"",
        result=payloads(b"1"),
    )
    world.poll()


@SCENARIOS
def failed_on_every_attempt(world: World) -> None:
    _, token = taken(world, retry=QUICK)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    task = world.poll_activity()
    world.call(
        "RespondActivityTaskFailed",
        task_token=task.task_token if task else b"",
        failure=failure("again"),
    )
    world.poll()


@SCENARIOS
def failed_for_good(world: World) -> None:
    _, token = taken(world, retry=QUICK)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure(non_retryable=True))
    world.poll()


@SCENARIOS
def failed_with_a_type_that_is_not_retried(world: World) -> None:
    _, token = taken(world, retry=QUICK | {"non_retryable_error_types": ["Broken"]})
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.poll()


@SCENARIOS
def failed_with_its_own_delay(world: World) -> None:
    run, token = taken(world, retry=QUICK)
    delayed = failure(next_retry_delay=seconds(2))
    world.call("RespondActivityTaskFailed", task_token=token, failure=delayed)
    world.on("DescribeWorkflowExecution", run)
    world.poll_activity()


@SCENARIOS
def canceled_by_the_worker_without_a_request(world: World) -> None:
    _, token = taken(world)
    world.call("RespondActivityTaskCanceled", task_token=token)
    world.poll(seconds=3)


@SCENARIOS
def canceled_on_request(world: World) -> None:
    run, token = taken(world, heartbeat_timeout=seconds(30))
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.turn(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))
    world.call("RecordActivityTaskHeartbeat", task_token=token, details=payloads(b"1"))
    world.call("RespondActivityTaskCanceled", task_token=token, details=payloads(b"2"))
    world.poll()


@SCENARIOS
def cancel_requested_twice(world: World) -> None:
    run, _ = taken(world)
    for _ in range(2):
        world.on("SignalWorkflowExecution", run, signal_name="s")
        world.turn(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))


@SCENARIOS
def cancel_requested_before_it_started(world: World) -> None:
    run = scheduled(world)
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.turn(command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5))
    world.poll()


@SCENARIOS
def start_to_close_timeout(world: World) -> None:
    run, _ = taken(world, start_to_close_timeout=seconds(1))
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")
    world.poll()


@SCENARIOS
def start_to_close_timeout_retried(world: World) -> None:
    taken(world, retry=QUICK, start_to_close_timeout=seconds(1))
    world.poll_activity()


@SCENARIOS
def timed_out_after_a_failure(world: World) -> None:
    run, token = taken(world, retry=QUICK, start_to_close_timeout=seconds(1))
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.poll_activity()
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def timed_out_on_every_attempt(world: World) -> None:
    run, _ = taken(world, retry=QUICK, start_to_close_timeout=seconds(1))
    world.poll_activity()
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def silent_on_every_attempt(world: World) -> None:
    run, token = taken(world, retry=QUICK, heartbeat_timeout=seconds(1))
    world.call("RecordActivityTaskHeartbeat", task_token=token, details=payloads(b"7"))
    world.poll_activity()
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def taken_by_nobody_after_a_failure(world: World) -> None:
    run, token = taken(world, retry=QUICK, schedule_to_start_timeout=seconds(1))
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def between_attempts_after_a_timeout(world: World) -> None:
    slow = {"initial_interval": seconds(60), "maximum_attempts": 2}
    run, _ = taken(world, retry=slow, start_to_close_timeout=seconds(1))

    def backs_off() -> bool:
        found = world.raw.call("DescribeWorkflowExecution", execution=run)
        return found.pending_activities[0].attempt == 2

    world.wait(backs_off, "the back-off")


@SCENARIOS
def schedule_to_start_timeout(world: World) -> None:
    run = scheduled(world, schedule_to_start_timeout=seconds(1))
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def schedule_to_close_timeout(world: World) -> None:
    run, _ = taken(world, schedule_to_close_timeout=seconds(1), start_to_close_timeout=seconds(9))
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def heartbeat_timeout(world: World) -> None:
    run, token = taken(world, heartbeat_timeout=seconds(1))
    world.call("RecordActivityTaskHeartbeat", task_token=token, details=payloads(b"7"))
    world.wait_for_event(run, "ACTIVITY_TASK_TIMED_OUT")


@SCENARIOS
def heartbeat_details_reach_the_next_attempt(world: World) -> None:
    run, token = taken(world, retry=QUICK, heartbeat_timeout=seconds(30))
    world.call("RecordActivityTaskHeartbeat", task_token=token, details=payloads(b"7"))
    world.on("DescribeWorkflowExecution", run)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.poll_activity()


@SCENARIOS
def heartbeat_details_in_the_failure(world: World) -> None:
    _, token = taken(world, retry=QUICK)
    world.call(
        "RespondActivityTaskFailed",
        task_token=token,
        failure=failure(),
        last_heartbeat_details=payloads(b"8"),
    )
    world.poll_activity()


@SCENARIOS
def heartbeat_of_a_closed_run(world: World) -> None:
    run, token = taken(world)
    world.on("TerminateWorkflowExecution", run)
    world.call("RecordActivityTaskHeartbeat", task_token=token)
    world.call("RespondActivityTaskCompleted", task_token=token)
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.call("RespondActivityTaskCanceled", task_token=token)


@SCENARIOS
def a_second_answer_is_refused(world: World) -> None:
    _, token = taken(world)
    for _ in range(2):
        world.call("RespondActivityTaskCompleted", task_token=token)


def by_id(world: World, row: tuple) -> None:
    method, fields = row
    run, _ = taken(world)
    world.call(
        method,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        **{"activity_id": "a"} | fields,
    )


SCENARIOS.table(
    "by-id",
    {
        "heartbeat": ("RecordActivityTaskHeartbeatById", {"details": payloads(b"1")}),
        "completed": ("RespondActivityTaskCompletedById", {"result": payloads(b"1")}),
        "failed": ("RespondActivityTaskFailedById", {"failure": failure()}),
        "canceled": ("RespondActivityTaskCanceledById", {}),
        "completed-unknown": ("RespondActivityTaskCompletedById", {"activity_id": "nope"}),
        "failed-unknown": ("RespondActivityTaskFailedById", {"activity_id": "nope"}),
        "without-an-id": ("RespondActivityTaskCompletedById", {"activity_id": ""}),
    },
    by_id,
)


def by_id_before_it_started(world: World, row: tuple) -> None:
    method, retry = row
    run = scheduled(world, retry=retry)
    ids = {"workflow_id": run.workflow_id, "run_id": run.run_id, "activity_id": "a"}
    world.call(method, **ids)


SCENARIOS.table(
    "by-id-before-it-started",
    {
        "completed": ("RespondActivityTaskCompletedById", ONCE),
        "failed": ("RespondActivityTaskFailedById", ONCE),
        "failed-and-retried": ("RespondActivityTaskFailedById", QUICK),
        "canceled": ("RespondActivityTaskCanceledById", ONCE),
        "heartbeat": ("RecordActivityTaskHeartbeatById", ONCE),
    },
    by_id_before_it_started,
)


@SCENARIOS
def eager(world: World) -> None:
    world.start()
    eager = activity(task_queue={"name": world.queue}, request_eager_execution=True)
    world.turn(eager)


def operated(world: World, row: tuple) -> None:
    method, fields = row
    run, _ = taken(world, retry=QUICK)
    world.on(method, run, **{"id": "a"} | fields)
    world.on("DescribeWorkflowExecution", run)


SCENARIOS.table(
    "operation",
    {
        "pause": ("PauseActivity", {"reason": "r"}),
        "pause-unknown": ("PauseActivity", {"id": "nope"}),
        "unpause": ("UnpauseActivity", {}),
        "unpause-unknown": ("UnpauseActivity", {"id": "nope"}),
        "reset": ("ResetActivity", {}),
        "reset-unknown": ("ResetActivity", {"id": "nope"}),
        "options": (
            "UpdateActivityOptions",
            {
                "activity_options": {"heartbeat_timeout": seconds(9)},
                "update_mask": {"paths": ["heartbeat_timeout"]},
            },
        ),
        "options-without-a-mask": (
            "UpdateActivityOptions",
            {"activity_options": {"heartbeat_timeout": seconds(9)}},
        ),
        "options-unknown": (
            "UpdateActivityOptions",
            {
                "id": "nope",
                "activity_options": {},
                "update_mask": {"paths": ["heartbeat_timeout"]},
            },
        ),
    },
    operated,
)


@SCENARIOS
def paused_and_unpaused(world: World) -> None:
    run, token = taken(world, retry=QUICK)
    world.on("PauseActivity", run, id="a")
    world.call("RespondActivityTaskFailed", task_token=token, failure=failure())
    world.on("DescribeWorkflowExecution", run)
    world.on("UnpauseActivity", run, id="a")
    world.poll_activity()
