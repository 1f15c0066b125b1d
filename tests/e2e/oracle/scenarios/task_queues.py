"""Task queues, deployments and workers as others see them."""

from oracle.scenarios.registry import Registry
from oracle.world import World

SCENARIOS = Registry()


def described(world: World, fields: dict) -> None:
    world.call("DescribeTaskQueue", **{"task_queue": {"name": world.queue}} | fields)


SCENARIOS.table(
    "describe",
    {
        "workflow": {"task_queue_type": 1},
        "activity": {"task_queue_type": 2},
        "unspecified": {},
        "status": {"include_task_queue_status": True, "task_queue_type": 1},
        "stats": {"report_stats": True, "task_queue_type": 1},
        "config": {"report_config": True, "task_queue_type": 1},
        "enhanced": {"api_mode": 1, "task_queue_types": [1], "report_pollers": True},
        "no-name": {"task_queue": {}},
        "long-name": {"task_queue": {"name": "x" * 1001}},
    },
    described,
)


@SCENARIOS
def described_with_a_backlog(world: World) -> None:
    world.start()
    world.call("DescribeTaskQueue", task_queue={"name": world.queue}, task_queue_type=1)


@SCENARIOS
def partitions(world: World) -> None:
    world.call("ListTaskQueuePartitions", task_queue={"name": world.queue})


@SCENARIOS
def configured(world: World) -> None:
    world.call(
        "UpdateTaskQueueConfig",
        task_queue=world.queue,
        task_queue_type=2,
        update_queue_rate_limit={"rate_limit": {"requests_per_second": 5}, "reason": "r"},
    )
    world.call(
        "DescribeTaskQueue",
        task_queue={"name": world.queue},
        task_queue_type=2,
        report_config=True,
    )


@SCENARIOS
def configured_for_workflows(world: World) -> None:
    world.call(
        "UpdateTaskQueueConfig",
        task_queue=world.queue,
        task_queue_type=1,
        update_queue_rate_limit={"rate_limit": {"requests_per_second": 5}, "reason": "r"},
    )


def deployment(world: World, row: tuple) -> None:
    method, fields = row
    fields = {
        key: value.format(own=world.tag) if isinstance(value, str) else value
        for key, value in fields.items()
    }
    world.call(method, **fields)


VERSION = {"deployment_name": "nowhere", "build_id": "1"}

SCENARIOS.table(
    "deployment-unknown",
    {
        "describe": ("DescribeWorkerDeployment", {"deployment_name": "nowhere"}),
        "describe-version": (
            "DescribeWorkerDeploymentVersion",
            {"deployment_version": VERSION},
        ),
        "set-current": (
            "SetWorkerDeploymentCurrentVersion",
            {"deployment_name": "nowhere", "build_id": "1"},
        ),
        "set-ramping": (
            "SetWorkerDeploymentRampingVersion",
            {"deployment_name": "nowhere", "build_id": "1", "percentage": 5},
        ),
        "delete": ("DeleteWorkerDeployment", {"deployment_name": "nowhere"}),
        "delete-version": ("DeleteWorkerDeploymentVersion", {"deployment_version": VERSION}),
        "metadata": (
            "UpdateWorkerDeploymentVersionMetadata",
            {"deployment_version": VERSION, "remove_entries": ["x"]},
        ),
        "no-name": ("DescribeWorkerDeployment", {}),
    },
    deployment,
)


@SCENARIOS
def workers(world: World) -> None:
    world.call(
        "RecordWorkerHeartbeat",
        worker_heartbeat=[{"worker_instance_key": world.name("worker"), "task_queue": world.queue}],
    )
    world.call("DescribeWorker", worker_instance_key=world.name("worker"))
    world.call("DescribeWorker", worker_instance_key=world.name("nobody"))


@SCENARIOS
def shutdown_of_an_unknown_worker(world: World) -> None:
    world.call("ShutdownWorker", sticky_task_queue=world.name("sticky"), reason="r")
