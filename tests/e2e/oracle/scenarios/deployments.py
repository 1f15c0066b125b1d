"""Worker deployments: versions of workers, who may change them, and where their runs go."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc

from oracle.scenarios.commands import activity, timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, payload

SCENARIOS = Registry()

PINNED = "VERSIONING_BEHAVIOR_PINNED"
AUTO_UPGRADE = "VERSIONING_BEHAVIOR_AUTO_UPGRADE"
SETTLE_SECONDS = 30.0
"""A change of the reference goes through several of its own workflows."""

OPERATOR = {"identity": "operator"}


def version(world: World, build_id: str = "1") -> dict:
    return {"deployment_name": world.name("deployment"), "build_id": build_id}


def options(world: World, build_id: str = "1") -> dict:
    return version(world, build_id) | {"worker_versioning_mode": "WORKER_VERSIONING_MODE_VERSIONED"}


def register(world: World, *build_ids: str) -> None:
    """Polls once for each build, so that its version is known."""

    def poll(build_id: str) -> None:
        with suppress(grpc.RpcError):
            world.raw.call(
                "PollWorkflowTaskQueue",
                timeout=3.0,
                task_queue={"name": world.queue},
                deployment_options=options(world, build_id),
            )

    with ThreadPoolExecutor(len(build_ids)) as pool:
        list(pool.map(poll, build_ids))
    for build_id in build_ids:
        what = f"version {build_id}"
        world.wait(lambda build_id=build_id: _is_known(world, build_id), what, SETTLE_SECONDS)


def _is_known(world: World, build_id: str) -> bool:
    try:
        found = world.raw.call(
            "DescribeWorkerDeploymentVersion", deployment_version=version(world, build_id)
        )
    except grpc.RpcError:
        return False
    return bool(found.worker_deployment_version_info.task_queue_infos)


def describe(world: World, *build_ids: str) -> None:
    """Records the deployment, its versions in order, and the queue."""
    name = world.name("deployment")
    found = world.call("DescribeWorkerDeployment", deployment_name=name, silent=True)
    if found:
        from oracle.normal import plain

        info = plain(found.worker_deployment_info, world._rename)
        info.get("version_summaries", []).sort(key=lambda one: one["version"])
        world.record.append(("deployment", info))
    for build_id in build_ids:
        world.call("DescribeWorkerDeploymentVersion", deployment_version=version(world, build_id))
    world.call("DescribeTaskQueue", task_queue={"name": world.queue}, task_queue_type=1)


def change(world: World, method: str, **fields: object):
    """Changes the routing, and waits until all queues know it."""
    name = world.name("deployment")
    fields = {"deployment_name": name, "timeout": SETTLE_SECONDS} | OPERATOR | fields
    answer = world.call(method, **fields)

    def settled() -> bool:
        found = world.raw.call("DescribeWorkerDeployment", deployment_name=name)
        return found.worker_deployment_info.routing_config_update_state == 2

    if answer:
        world.wait(settled, "the routing", SETTLE_SECONDS)
    return answer


def make_current(world: World, build_id: str = "1", **fields: object):
    return change(world, "SetWorkerDeploymentCurrentVersion", build_id=build_id, **fields)


def ramp(world: World, build_id: str = "2", percentage: float = 25.0, **fields: object):
    fields = {"build_id": build_id, "percentage": percentage} | fields
    return change(world, "SetWorkerDeploymentRampingVersion", **fields)


def poll(world: World, build_id: str = "1"):
    return world.poll(deployment_options=options(world, build_id))


def turn(world: World, *commands, build_id: str = "1", behavior: str = PINNED):
    """Takes the next workflow task as a worker of the version, and completes it."""
    return world.complete(
        poll(world, build_id),
        *commands,
        deployment_options=options(world, build_id),
        versioning_behavior=behavior,
    )


def pinned_to(world: World, build_id: str = "1") -> dict:
    return {
        "pinned": {
            "behavior": "PINNED_OVERRIDE_BEHAVIOR_PINNED",
            "version": version(world, build_id),
        }
    }


@SCENARIOS
def known_by_a_poll(world: World) -> None:
    register(world, "1")
    describe(world, "1")


@SCENARIOS
def current(world: World) -> None:
    register(world, "1")
    make_current(world)
    describe(world, "1")
    make_current(world, build_id="")
    describe(world, "1")


@SCENARIOS
def ramping(world: World) -> None:
    register(world, "1", "2")
    make_current(world)
    ramp(world)
    describe(world, "1", "2")
    ramp(world, build_id="", percentage=0.0)
    describe(world, "1", "2")


@SCENARIOS
def replaced(world: World) -> None:
    register(world, "1", "2")
    make_current(world)
    make_current(world, "2")
    describe(world, "1", "2")


def refused(world: World, row: tuple) -> None:
    method, fields = row
    register(world, "1")
    make_current(world)
    target = {} if "deployment_version" in fields else {"deployment_name": world.name("deployment")}
    if "deployment_version" in fields:
        fields = fields | {"deployment_version": version(world, fields["deployment_version"])}
    world.call(method, **target | OPERATOR | fields)


SCENARIOS.table(
    "refused",
    {
        "current-unknown": ("SetWorkerDeploymentCurrentVersion", {"build_id": "9"}),
        "ramping-unknown": ("SetWorkerDeploymentRampingVersion", {"build_id": "9"}),
        "ramping-current": (
            "SetWorkerDeploymentRampingVersion",
            {"build_id": "1", "percentage": 5.0},
        ),
        "percentage": ("SetWorkerDeploymentRampingVersion", {"build_id": "1", "percentage": 101.0}),
        "token": (
            "SetWorkerDeploymentCurrentVersion",
            {"build_id": "1", "conflict_token": b"stale"},
        ),
        "delete-current": ("DeleteWorkerDeploymentVersion", {"deployment_version": "1"}),
        "delete-unknown-version": ("DeleteWorkerDeploymentVersion", {"deployment_version": "9"}),
        "delete-with-versions": ("DeleteWorkerDeployment", {}),
        "metadata-nothing": ("UpdateWorkerDeploymentVersionMetadata", {"deployment_version": "1"}),
        "manager-without-identity": ("SetWorkerDeploymentManager", {"identity": ""}),
    },
    refused,
)


@SCENARIOS
def managed(world: World) -> None:
    register(world, "1")
    name = world.name("deployment")
    set_manager = "SetWorkerDeploymentManager"
    world.call(set_manager, deployment_name=name, manager_identity="boss", **OPERATOR)
    make_current(world)
    world.call(set_manager, deployment_name=name, self=True, identity="boss")
    describe(world)


@SCENARIOS
def made_and_deleted(world: World) -> None:
    name = world.name("deployment")
    create = {"deployment_name": name, "identity": "me"}
    for request_id in ("a", "a", "b"):
        world.call("CreateWorkerDeployment", request_id=request_id, **create)
    one = {"deployment_version": version(world), "identity": "me"}
    for request_id in ("a", "a", "b"):
        world.call("CreateWorkerDeploymentVersion", request_id=request_id, **one)
    describe(world, "1")
    world.call("DeleteWorkerDeploymentVersion", **one)
    world.call("DeleteWorkerDeployment", **create)
    world.call("DescribeWorkerDeployment", deployment_name=name)


@SCENARIOS
def metadata(world: World) -> None:
    register(world, "1")
    entries = {"a": payload(b"1"), "b": payload(b"2")}
    method, target = "UpdateWorkerDeploymentVersionMetadata", version(world)
    world.call(method, deployment_version=target, upsert_entries=entries)
    world.call(method, deployment_version=target, remove_entries=["a"])
    world.call("DescribeWorkerDeploymentVersion", deployment_version=target)


def runs(world: World, behavior: str) -> None:
    register(world, "1")
    make_current(world)
    world.start()
    turn(world, timer(), behavior=behavior)


SCENARIOS.table("a-run", {"pinned": PINNED, "auto-upgrade": AUTO_UPGRADE}, runs)


@SCENARIOS
def a_behavior_without_a_version(world: World) -> None:
    world.start()
    world.turn(versioning_behavior=PINNED)


@SCENARIOS
def an_override_pins_a_run(world: World) -> None:
    register(world, "1", "2")
    make_current(world, "2")
    world.start(versioning_override=pinned_to(world))
    turn(world, behavior=AUTO_UPGRADE)


@SCENARIOS
def a_run_moves_with_the_current_version(world: World) -> None:
    register(world, "1", "2")
    make_current(world)
    run = world.start()
    turn(world, timer(), behavior=AUTO_UPGRADE)
    make_current(world, "2")
    world.on("SignalWorkflowExecution", run, signal_name="s")
    turn(world, build_id="2", behavior=AUTO_UPGRADE)


@SCENARIOS
def a_pinned_run_is_told_of_a_newer_version(world: World) -> None:
    register(world, "1", "2")
    make_current(world)
    run = world.start()
    turn(world, timer())
    make_current(world, "2")
    world.on("SignalWorkflowExecution", run, signal_name="s")
    turn(world)


@SCENARIOS
def a_pinned_run_continues_as_new(world: World) -> None:
    register(world, "1")
    make_current(world)
    world.start()
    anew = command(
        "CONTINUE_AS_NEW_WORKFLOW_EXECUTION",
        workflow_type={"name": "workflow"},
        task_queue={"name": world.queue},
        backoff_start_interval={"seconds": 2},
    )
    turn(world, anew)
    turn(world, command("COMPLETE_WORKFLOW_EXECUTION"))


@SCENARIOS
def a_child_of_a_pinned_run(world: World) -> None:
    register(world, "1")
    make_current(world)
    run = world.start()
    child = command(
        "START_CHILD_WORKFLOW_EXECUTION",
        workflow_id=world.name("child"),
        workflow_type={"name": "child"},
        task_queue={"name": world.queue},
    )
    turn(world, child)
    world.wait_for_event(run, "CHILD_WORKFLOW_EXECUTION_STARTED")


@SCENARIOS
def an_activity_of_a_versioned_run(world: World) -> None:
    register(world, "1")
    make_current(world)
    world.start()
    turn(world, activity(task_queue={"name": world.queue}))
    task = world.call(
        "PollActivityTaskQueue",
        timeout=4.0,
        task_queue={"name": world.queue},
        deployment_options=options(world),
    )
    world.call("RespondActivityTaskCompleted", task_token=task.task_token if task else b"")


@SCENARIOS
def listed(world: World) -> None:
    register(world, "1")
    make_current(world)

    def found():
        page = world.raw.call("ListWorkerDeployments", page_size=1000)
        return [one for one in page.worker_deployments if world.tag in one.name]

    world.wait(lambda: bool(found()) and bool(found()[0].current_version_summary.version), "a list")
    from oracle.normal import plain

    world.record.append(("listed", [plain(one, world._rename) for one in found()]))
