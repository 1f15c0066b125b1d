"""Versions that the server itself would run, had it a provider of computing."""

import pytest
from grpc import RpcError
from temporalio.api.compute.v1 import (
    ComputeConfigScalingGroup,
    ComputeConfigScalingGroupUpdate,
    ComputeProvider,
)
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.operatorservice.v1 import RemoveRemoteClusterRequest

from harness.raw import Raw, Refusal, refusal_of
from harness.sdk import unique

UPDATE = "UpdateWorkerDeploymentVersionComputeConfig"
VALIDATE = "ValidateWorkerDeploymentVersionComputeConfig"


@pytest.fixture
def version(raw: Raw) -> WorkerDeploymentVersion:
    version = WorkerDeploymentVersion(deployment_name=unique("shop"), build_id="1")
    fields = {"identity": "me", "request_id": unique("request")}
    raw.call("CreateWorkerDeployment", deployment_name=version.deployment_name, **fields)
    raw.call("CreateWorkerDeploymentVersion", deployment_version=version, **fields)
    return version


def group(provider: str) -> ComputeConfigScalingGroupUpdate:
    provider = ComputeProvider(type=provider)
    scaling_group = ComputeConfigScalingGroup(task_queue_types=[1, 2], provider=provider)
    return ComputeConfigScalingGroupUpdate(scaling_group=scaling_group)


def test_a_provider_that_there_is_not_is_refused(raw: Raw, version: WorkerDeploymentVersion):
    groups = {"group": group("aws-lambda")}
    refused = raw.refused(UPDATE, deployment_version=version, compute_config_scaling_groups=groups)
    text = "group: Could not instantiate compute provider with type 'aws-lambda'"
    assert refused == Refusal("INVALID_ARGUMENT", text, None)
    raw.call(UPDATE, deployment_version=version, remove_compute_config_scaling_groups=["group"])


def test_a_version_that_there_is_not_has_none(raw: Raw, version: WorkerDeploymentVersion):
    version.build_id = "2"
    refused = raw.refused(UPDATE, deployment_version=version)
    text = f"build ID '2' not found in Worker Deployment '{version.deployment_name}'"
    assert refused == Refusal("NOT_FOUND", text, "NotFoundFailure")
    version.build_id = ""
    refused = raw.refused(UPDATE, deployment_version=version)
    assert refused == Refusal("INVALID_ARGUMENT", "build ID cannot be empty", None)
    refused = raw.refused(UPDATE)
    assert refused == Refusal("INVALID_ARGUMENT", "deployment name cannot be empty", None)


def test_nothing_is_no_config(raw: Raw, version: WorkerDeploymentVersion):
    text = (
        "No prior compute config found, which means nothing can be removed and something needs to "
        "be added to be valid"
    )
    refused = raw.refused(VALIDATE, deployment_version=version)
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_there_is_no_other_cluster_to_remove(raw: Raw):
    with pytest.raises(RpcError) as caught:
        request = RemoveRemoteClusterRequest(cluster_name="other")
        raw.operator.RemoveRemoteCluster(request, timeout=10)
    text = "The cluster to be deleted cannot be found in clusters cache."
    assert refusal_of(caught.value) == Refusal("NOT_FOUND", text, "NotFoundFailure")
