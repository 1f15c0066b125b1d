"""Workers of several versions of one deployment, through the SDK."""

import asyncio

from temporalio import workflow
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import (
    PinnedVersioningOverride,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

from harness.sdk import unique, worker
from harness.waiting import wait_for


@workflow.defn(name="Waits", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UpgradesToOne:
    def __init__(self) -> None:
        self.finish = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.finish)
        return "version-1"

    @workflow.signal
    def end(self) -> None:
        self.finish = True


@workflow.defn(name="Waits", versioning_behavior=VersioningBehavior.PINNED)
class PinnedToTwo(UpgradesToOne):
    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.finish)
        return "version-2"

    @workflow.signal
    def end(self) -> None:
        self.finish = True


@workflow.defn(name="Waits", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class UpgradesToThree(UpgradesToOne):
    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.finish)
        return "version-3"

    @workflow.signal
    def end(self) -> None:
        self.finish = True


@workflow.defn(name="Waits")
class Plain(UpgradesToOne):
    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.finish)
        return "plain"

    @workflow.signal
    def end(self) -> None:
        self.finish = True


def versioned(client: Client, queue: str, deployment: str, build_id: str, kind: type) -> Worker:
    return worker(
        client,
        queue,
        [kind],
        deployment_config=WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=deployment, build_id=build_id),
            use_worker_versioning=True,
        ),
    )


async def make_current(client: Client, deployment: str, build_id: str) -> None:
    service = client.workflow_service

    async def described():
        request = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=deployment)
        try:
            return (await service.describe_worker_deployment(request)).worker_deployment_info
        except RPCError:
            return None

    async def registered():
        info = await described()
        summaries = info.version_summaries if info else []
        return any(summary.version == f"{deployment}.{build_id}" for summary in summaries)

    await wait_for(registered, "the version is registered")
    await service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(
            namespace="default", deployment_name=deployment, build_id=build_id, identity="operator"
        )
    )

    async def settled():
        info = await described()
        return info and info.routing_config_update_state == 2

    await wait_for(settled, "the routing is in force", 60.0)


async def test_runs_stay_or_move_as_their_behavior_says(client: Client, queue: str):
    deployment = unique("deployment")

    async def start(workflow_id: str):
        return await client.start_workflow("Waits", id=unique(workflow_id), task_queue=queue)

    async def is_on(handle, build_id: str):
        described = await handle.describe()
        info = described.raw_description.workflow_execution_info.versioning_info
        on_version = info.deployment_version.build_id == build_id
        return on_version and not info.HasField("version_transition")

    async with (
        versioned(client, queue, deployment, "1", UpgradesToOne),
        versioned(client, queue, deployment, "2", PinnedToTwo),
        versioned(client, queue, deployment, "3", UpgradesToThree),
    ):
        await make_current(client, deployment, "1")
        upgrades = await start("upgrades")
        await wait_for(lambda: is_on(upgrades, "1"), "the first run began on version 1")
        await make_current(client, deployment, "2")
        pinned = await start("pinned")
        await wait_for(lambda: is_on(pinned, "2"), "the second run began on version 2")
        await make_current(client, deployment, "3")
        for handle in (upgrades, pinned):
            await handle.signal("end")
        assert await upgrades.result() == "version-3"
        assert await pinned.result() == "version-2"


async def test_a_start_can_be_pinned_to_a_version(client: Client, queue: str):
    deployment = unique("deployment")
    async with (
        versioned(client, queue, deployment, "1", UpgradesToOne),
        versioned(client, queue, deployment, "3", UpgradesToThree),
    ):
        await make_current(client, deployment, "1")
        await make_current(client, deployment, "3")
        version = WorkerDeploymentVersion(deployment_name=deployment, build_id="1")
        handle = await client.start_workflow(
            "Waits",
            id=unique("overridden"),
            task_queue=queue,
            versioning_override=PinnedVersioningOverride(version),
        )
        await handle.signal("end")
        assert await asyncio.wait_for(handle.result(), 20) == "version-1"


async def test_unversioned_workers_keep_their_runs_until_a_version_is_current(
    client: Client, queue: str
):
    deployment = unique("deployment")

    async with (
        worker(client, queue, [Plain]),
        versioned(client, queue, deployment, "1", UpgradesToOne),
    ):
        handle = await client.start_workflow("Waits", id=unique("plain"), task_queue=queue)
        await handle.signal("end")
        assert await handle.result() == "plain"
        await make_current(client, deployment, "1")
        handle = await client.start_workflow("Waits", id=unique("now"), task_queue=queue)
        await handle.signal("end")
        assert await handle.result() == "version-1"
