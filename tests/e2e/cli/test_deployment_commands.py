"""`temporal worker deployment` and `temporal task-queue`."""

import pytest

from harness.raw import Raw
from harness.sdk import unique
from harness.versioned import VersionedWorker
from harness.waiting import wait_for_sync


@pytest.fixture
def worker(raw: Raw, queue: str) -> VersionedWorker:
    return VersionedWorker(raw, unique("deployment"), "1").register(queue)


def test_a_deployment_is_listed_described_and_routed(cli, worker: VersionedWorker):
    name = worker.deployment
    deployment = ("worker", "deployment")

    def listed():
        return name in cli.text(*deployment, "list")

    wait_for_sync(listed, "the deployment is listed")
    cli.text(
        *deployment, "set-current-version", "--deployment-name", name, "--build-id", "1", "--yes"
    )
    described = cli.json(*deployment, "describe", "--name", name)
    assert described["routingConfig"]["currentVersionBuildID"] == "1"
    version = cli.json(
        *deployment, "describe-version", "--deployment-name", name, "--build-id", "1"
    )
    assert version["BuildID"] == "1"
    other = VersionedWorker(worker.raw, name, "2")
    other.make_current(allow_no_pollers=True)
    cli.text(
        *deployment,
        "set-ramping-version",
        "--deployment-name",
        name,
        "--build-id",
        "1",
        "--percentage",
        "25",
        "--yes",
    )
    described = cli.json(*deployment, "describe", "--name", name)
    assert described["routingConfig"]["rampingVersionBuildID"] == "1"
    assert described["routingConfig"]["rampingVersionPercentage"] == 25


def test_metadata_of_a_version_is_updated(cli, worker: VersionedWorker):
    cli.text(
        "worker",
        "deployment",
        "update-version-metadata",
        "--deployment-name",
        worker.deployment,
        "--build-id",
        "1",
        "--metadata",
        'commit="abc"',
    )
    found = worker.raw.call("DescribeWorkerDeploymentVersion", version=worker.legacy)
    entries = found.worker_deployment_version_info.metadata.entries
    assert entries["commit"].data == b'"abc"'


def test_a_queue_is_configured_and_described(cli, queue: str):
    config = ("task-queue", "config")
    cli.text(
        *config,
        "set",
        "--task-queue",
        queue,
        "--task-queue-type",
        "activity",
        "--queue-rps-limit",
        "5",
        "--queue-rps-limit-reason",
        "test",
    )
    shown = cli.text(*config, "get", "--task-queue", queue, "--task-queue-type", "activity")
    assert "5" in shown and "test" in shown
    described = cli.text("task-queue", "describe", "--task-queue", queue)
    assert "UNVERSIONED" in described or "unversioned" in described.lower()
