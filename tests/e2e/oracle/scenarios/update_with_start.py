"""A start and an update as one operation."""

import uuid
from concurrent.futures import ThreadPoolExecutor

from oracle.scenarios.commands import timer
from oracle.scenarios.registry import Registry
from oracle.scenarios.starts import completed, running
from oracle.scenarios.updates import STAGE, accepted, answered, refer, rejected
from oracle.world import World, command, payloads

SCENARIOS = Registry()

FAIL = "WORKFLOW_ID_CONFLICT_POLICY_FAIL"
USE_EXISTING = "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"


def start(world: World, **fields: object) -> dict:
    return {
        "start_workflow": {
            "namespace": "default",
            "workflow_id": world.name(),
            "workflow_type": {"name": "workflow"},
            "task_queue": {"name": world.queue},
            "request_id": str(uuid.uuid4()),
        }
        | fields
    }


def update(world: World, **fields: object) -> dict:
    return {
        "update_workflow": {
            "namespace": "default",
            "workflow_execution": {"workflow_id": world.name()},
            "wait_policy": {"lifecycle_stage": f"{STAGE}_COMPLETED"},
            "request": {
                "meta": {"update_id": "u"},
                "input": {"name": "up", "args": payloads(b"1")},
            },
        }
        | fields
    }


def execute(world: World, *operations: dict, **fields: object):
    """Sends the operations; follows the run that they start or use."""
    answer = world.call("ExecuteMultiOperation", operations=operations, **fields)
    if answer:
        world.follow(world.name(), answer.responses[0].start_workflow.run_id)
    return answer


def during(world: World, answer, *operations: dict) -> None:
    """Sends the operations while this thread takes the workflow task."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(execute, world, *operations, timeout=8.0)
        task = world.poll(seconds=4)
        if task and task.messages:
            answer(task)
        asked.result()


def completes(world: World):
    def answer(task) -> None:
        messages = [accepted(task), answered(task, {"success": payloads(b"2")})]
        world.complete(task, timer(), *refer("accept", "respond"), messages=messages)

    return answer


@SCENARIOS
def nothing_there(world: World) -> None:
    during(world, completes(world), start(world), update(world))


@SCENARIOS
def rejected_by_the_first_task(world: World) -> None:
    def answer(task) -> None:
        world.complete(task, timer(), messages=[rejected(task)])

    during(world, answer, start(world), update(world))


@SCENARIOS
def completed_before(world: World) -> None:
    completed(world)
    during(world, completes(world), start(world), update(world))


@SCENARIOS
def the_open_run(world: World) -> None:
    running(world)
    world.turn(timer())
    using = start(world, workflow_id_conflict_policy=USE_EXISTING)
    during(world, completes(world), using, update(world))
    execute(world, start(world), update(world))


@SCENARIOS
def the_open_run_ends(world: World) -> None:
    running(world)
    world.turn(timer())

    def answer(task) -> None:
        messages = [accepted(task), answered(task, {"success": payloads(b"2")})]
        ids = refer("accept", "respond")
        world.complete(task, *ids, command("COMPLETE_WORKFLOW_EXECUTION"), messages=messages)

    using = start(world, workflow_id_conflict_policy=USE_EXISTING)
    during(world, answer, using, update(world))


def conflict(world: World, row: tuple) -> None:
    state, fields = row
    state(world)
    execute(world, start(world, **fields), update(world))


SCENARIOS.table(
    "conflict",
    {
        "running": (running, {}),
        "running-fail": (
            running,
            {"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_FAIL"},
        ),
        "completed-reject": (
            completed,
            {"workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"},
        ),
    },
    conflict,
)


BAD_STARTS = {
    "cron": {"cron_schedule": "* * * * *"},
    "eager": {"request_eager_execution": True},
    "delay": {"workflow_start_delay": {"seconds": 1}},
    "no-type": {"workflow_type": {}},
    "namespace": {"namespace": "elsewhere"},
    "no-id": {"workflow_id": ""},
}

BAD_UPDATES = {
    "run-id": {
        "workflow_execution": {
            "workflow_id": "w",
            "run_id": "3f1f4e9c-0c0e-4c39-9d50-fb8dfd3c2d6f",
        }
    },
    "first-run": {"first_execution_run_id": "x"},
    "other-workflow": {"workflow_execution": {"workflow_id": "other"}},
    "no-request": {"request": None},
    "admitted": {"wait_policy": {"lifecycle_stage": f"{STAGE}_ADMITTED"}},
}

SCENARIOS.table(
    "bad-start", BAD_STARTS, lambda world, row: execute(world, start(world, **row), update(world))
)
SCENARIOS.table(
    "bad-update",
    BAD_UPDATES,
    lambda world, row: execute(world, start(world), update(world, **row)),
)


@SCENARIOS
def in_another_order(world: World) -> None:
    execute(world, update(world), start(world))
    execute(world, start(world))
    execute(world, start(world), update(world), start(world))
