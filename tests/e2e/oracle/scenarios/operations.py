"""Operations on workflows: resets, pauses, batches, workflow rules."""

import uuid

from oracle.scenarios.commands import activity, timer
from oracle.scenarios.registry import Registry
from oracle.world import World, payload

SCENARIOS = Registry()


def reset(world: World, run, event_id: int, **fields: object):
    answer = world.on(
        "ResetWorkflowExecution",
        run,
        workflow_task_finish_event_id=event_id,
        reason="r",
        request_id=str(uuid.uuid4()),
        **fields,
    )
    return world.follow(run.workflow_id, answer.run_id) if answer else None


@SCENARIOS
def reset_an_open_run(world: World) -> None:
    run = world.start()
    world.turn(timer())
    world.on("SignalWorkflowExecution", run, signal_name="s")
    reset(world, run, 4)
    world.finish()


@SCENARIOS
def reset_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    reset(world, run, 4)
    world.poll()


@SCENARIOS
def reset_without_signals(world: World) -> None:
    run = world.start()
    world.turn(timer())
    world.on("SignalWorkflowExecution", run, signal_name="s")
    reset(world, run, 4, reset_reapply_exclude_types=["RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL"])


@SCENARIOS
def reset_with_a_pending_activity(world: World) -> None:
    run = world.start()
    world.turn(activity())
    world.on("SignalWorkflowExecution", run, signal_name="s")
    world.turn()
    reset(world, run, 9)


def bad_reset(world: World, event_id: int) -> None:
    run = world.start()
    world.finish()
    reset(world, run, event_id)


SCENARIOS.table(
    "reset-refused", {"zero": 0, "first": 1, "second": 2, "beyond": 99, "negative": -1}, bad_reset
)


@SCENARIOS
def reset_of_nobody(world: World) -> None:
    world.call(
        "ResetWorkflowExecution",
        workflow_execution={"workflow_id": world.name("nobody")},
        workflow_task_finish_event_id=4,
    )
    world.call("ResetWorkflowExecution")


@SCENARIOS
def pause_and_unpause_a_workflow(world: World) -> None:
    run = world.start()
    ids = {"workflow_id": run.workflow_id, "run_id": run.run_id}
    world.call("PauseWorkflowExecution", **ids, reason="r", request_id="p")
    world.on("DescribeWorkflowExecution", run)
    world.call("UnpauseWorkflowExecution", **ids, reason="r", request_id="u")


def batch(world: World, operation: dict) -> None:
    indexed = {"CustomKeywordField": payload(f'"{world.tag}"'.encode())}
    runs = [
        world.start(workflow_id=world.name(name), search_attributes={"indexed_fields": indexed})
        for name in ("one", "two")
    ]
    query = f"CustomKeywordField = '{world.tag}'"
    world.wait(
        lambda: world.raw.call("CountWorkflowExecutions", query=query).count == 2, "the index"
    )
    with world.alone("batch operation"):
        started = world.call(
            "StartBatchOperation",
            job_id=world.name("job"),
            reason="r",
            visibility_query=query,
            **operation,
        )
        if started is not None:
            world.wait(lambda: _is_over(world), "the batch operation")
            world.call("DescribeBatchOperation", job_id=world.name("job"))
    assert runs


def _is_over(world: World) -> bool:
    job = world.raw.call("DescribeBatchOperation", job_id=world.name("job"))
    return job.state in (2, 3)


SCENARIOS.table(
    "batch",
    {
        "terminate": {"termination_operation": {}},
        "cancel": {"cancellation_operation": {}},
        "signal": {"signal_operation": {"signal": "s"}},
        "delete": {"deletion_operation": {}},
        "none": {},
    },
    batch,
)


def bad_batch(world: World, fields: dict) -> None:
    world.call(
        "StartBatchOperation",
        **{
            "job_id": world.name("job"),
            "reason": "r",
            "visibility_query": "WorkflowId = 'nobody'",
            "termination_operation": {},
        }
        | fields,
    )


SCENARIOS.table(
    "batch-refused",
    {
        "no-id": {"job_id": ""},
        "no-reason": {"reason": ""},
        "no-query": {"visibility_query": ""},
        "both": {"executions": [{"workflow_id": "x"}]},
        "bad-query": {"visibility_query": "!!"},
    },
    bad_batch,
)


@SCENARIOS
def batch_unknown(world: World) -> None:
    world.call("DescribeBatchOperation", job_id=world.name("nobody"))
    world.call("StopBatchOperation", job_id=world.name("nobody"), reason="r")
    world.call("DescribeBatchOperation")


@SCENARIOS
def workflow_rules(world: World) -> None:
    world.call("ListWorkflowRules")
    world.call("DescribeWorkflowRule", rule_id="nobody")
    world.call("DeleteWorkflowRule", rule_id="nobody")


@SCENARIOS
def a_standalone_activity(world: World) -> None:
    started = world.call(
        "StartActivityExecution",
        activity_id=world.name("activity"),
        activity_type={"name": "activity"},
        task_queue={"name": world.queue},
        start_to_close_timeout={"seconds": 10},
        request_id=str(uuid.uuid4()),
    )
    if started:
        world.call("DescribeActivityExecution", activity_id=world.name("activity"))
        task = world.poll_activity()
        world.call("RespondActivityTaskCompleted", task_token=task.task_token if task else b"")


@SCENARIOS
def an_unknown_standalone_activity(world: World) -> None:
    for method in ("DescribeActivityExecution", "RequestCancelActivityExecution"):
        world.call(method, activity_id=world.name("nobody"))


@SCENARIOS
def switched_off_methods(world: World) -> None:
    queue = world.queue
    world.call("GetWorkerBuildIdCompatibility", task_queue=queue)
    world.call("UpdateWorkerBuildIdCompatibility", task_queue=queue)
    world.call("GetWorkerVersioningRules", task_queue=queue)
    world.call("GetWorkerTaskReachability", build_ids=["1"])
    world.call("DescribeDeployment", deployment={"series_name": "s", "build_id": "1"})
    world.call("ListDeployments")
