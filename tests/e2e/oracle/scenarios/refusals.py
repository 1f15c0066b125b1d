"""The refused calls of the suite `raw`, each as a scenario: code, text and details."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "raw"))

from cases import Case, Scene
from cases.others import NAMESPACES, VISIBILITY
from cases.runs import RUNS
from cases.starts import STARTS
from cases.tasks import TASKS
from oracle.scenarios.registry import Registry
from oracle.world import World, command, seconds

SCENARIOS = Registry()


def refused(world: World, case: Case) -> None:
    world.call(case.method, **case.fields(_scene(world)))


def _scene(world: World) -> Scene:
    """The runs and tokens that refused calls refer to, made anew for each case."""
    open_run = world.start(workflow_id=world.name("open"), task_queue={"name": world.name("q1")})
    closed = world.start(workflow_id=world.name("closed"), task_queue={"name": world.name("q1")})
    world.on("TerminateWorkflowExecution", closed)
    busy = world.start(workflow_id=world.name("busy"))
    task = world.poll()
    world.complete(
        task,
        command(
            "SCHEDULE_ACTIVITY_TASK",
            activity_id="pending",
            activity_type={"name": "activity"},
            task_queue={"name": world.queue},
            start_to_close_timeout=seconds(600),
        ),
    )
    activity = world.poll_activity()
    nobody = world.follow(world.name("nobody"), "")
    world._started.remove(nobody)
    return Scene(
        queue=world.queue,
        open=open_run,
        closed=closed,
        busy=busy,
        stale_workflow_task=task.task_token if task else b"",
        activity_task=activity.task_token if activity else b"",
        nobody=nobody,
    )


SCENARIOS.update(
    {
        case.name.replace(" ", "-"): lambda world, case=case: refused(world, case)
        for case in STARTS + RUNS + TASKS + NAMESPACES + VISIBILITY
    }
)
