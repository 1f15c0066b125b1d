"""Worker deployments: how they come to be, who may change them, and what clients are told."""

import pytest
from temporalio.api.enums.v1 import (
    RoutingConfigUpdateState,
    VersionDrainageStatus,
    WorkerDeploymentVersionStatus,
)
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.raw import Raw, Refusal, payload
from harness.sdk import unique
from harness.versioned import VersionedWorker
from harness.waiting import wait_for_sync

Status = WorkerDeploymentVersionStatus
PREFIX = "WORKER_DEPLOYMENT_VERSION_STATUS_"


@pytest.fixture
def deployment() -> str:
    return unique("deployment")


@pytest.fixture
def one(raw: Raw, deployment: str, queue: str) -> VersionedWorker:
    return VersionedWorker(raw, deployment, "1").register(queue)


@pytest.fixture
def two(raw: Raw, deployment: str, queue: str, one: VersionedWorker) -> VersionedWorker:
    return VersionedWorker(raw, deployment, "2").register(queue)


def describe(raw: Raw, deployment: str):
    return raw.call("DescribeWorkerDeployment", deployment_name=deployment).worker_deployment_info


def statuses(raw: Raw, deployment: str) -> dict[str, str]:
    summaries = describe(raw, deployment).version_summaries
    return {
        summary.deployment_version.build_id: Status.Name(summary.status).removeprefix(PREFIX)
        for summary in summaries
    }


def test_a_versioned_poll_makes_the_deployment_and_its_version(
    raw: Raw, deployment: str, queue: str, one: VersionedWorker
):
    found = raw.call("DescribeWorkerDeployment", deployment_name=deployment)
    info = found.worker_deployment_info
    assert info.name == deployment
    assert found.conflict_token
    assert info.create_time.seconds > 0
    assert info.routing_config.current_version == "__unversioned__"
    assert not info.routing_config.HasField("current_deployment_version")
    assert info.routing_config.ramping_version == ""
    assert info.manager_identity == info.last_modifier_identity == ""
    state = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED
    assert info.routing_config_update_state == state
    [summary] = info.version_summaries
    assert summary.version == one.legacy
    assert summary.deployment_version == one.version
    assert summary.status == Status.WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE
    version = raw.call("DescribeWorkerDeploymentVersion", version=one.legacy)
    [task_queue] = version.version_task_queues
    assert (task_queue.name, task_queue.type) == (queue, 1)
    assert not task_queue.HasField("stats")
    [poller] = raw.call("DescribeTaskQueue", task_queue=TaskQueue(name=queue)).pollers
    assert poller.identity == "worker-1"
    assert poller.deployment_options == one.options


def test_routing_changes_are_told_everywhere(
    raw: Raw, deployment: str, queue: str, one: VersionedWorker, two: VersionedWorker
):
    answer = one.make_current()
    assert answer.previous_version == "__unversioned__"
    assert not answer.HasField("previous_deployment_version")
    again = one.make_current()
    assert again.conflict_token == answer.conflict_token
    assert again.previous_deployment_version == one.version
    ramped = two.ramp(30.0)
    assert ramped.previous_version == ""
    assert statuses(raw, deployment) == {"1": "CURRENT", "2": "RAMPING"}
    routing = describe(raw, deployment).routing_config
    assert routing.current_deployment_version == one.version
    assert routing.ramping_deployment_version == two.version
    assert routing.ramping_version_percentage == 30.0
    assert routing.revision_number == 2
    told = raw.call("DescribeTaskQueue", task_queue=TaskQueue(name=queue)).versioning_info
    assert (told.current_version, told.ramping_version) == (one.legacy, two.legacy)
    assert told.ramping_version_percentage == 30.0
    promoted = two.make_current()
    assert promoted.previous_deployment_version == one.version
    assert statuses(raw, deployment) == {"1": "DRAINING", "2": "CURRENT"}
    routing = describe(raw, deployment).routing_config
    assert routing.ramping_version == "" and routing.ramping_version_percentage == 0.0
    versions = {
        v.deployment_version.build_id: v for v in describe(raw, deployment).version_summaries
    }
    assert versions["1"].drainage_status == VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINING
    assert versions["1"].last_deactivation_time.seconds > 0
    assert versions["2"].current_since_time.seconds > 0
    assert versions["2"].first_activation_time.seconds > 0


def test_a_ramp_can_be_unset_and_the_current_version_too(
    raw: Raw, deployment: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    two.ramp(10.0)
    fields = {"deployment_name": deployment, "identity": "operator"}
    unset = raw.call("SetWorkerDeploymentRampingVersion", percentage=0.0, **fields)
    assert (unset.previous_version, unset.previous_percentage) == (two.legacy, 10.0)
    assert statuses(raw, deployment) == {"1": "CURRENT", "2": "DRAINING"}
    unset = raw.call("SetWorkerDeploymentCurrentVersion", **fields)
    assert unset.previous_version == one.legacy
    assert describe(raw, deployment).routing_config.current_version == "__unversioned__"


def test_changes_that_contradict_the_deployment_are_refused(
    raw: Raw, deployment: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    fields = {"deployment_name": deployment, "identity": "operator"}
    current, ramping = "SetWorkerDeploymentCurrentVersion", "SetWorkerDeploymentRampingVersion"
    stale = raw.refused(current, build_id="2", conflict_token=b"stale", **fields)
    assert stale == Refusal("FAILED_PRECONDITION", "conflict token mismatch", None)
    unknown = f"build ID '9' not found in Worker Deployment '{deployment}'"
    for method in (current, ramping):
        refused = raw.refused(method, build_id="9", **fields)
        assert refused == Refusal("NOT_FOUND", unknown, "NotFoundFailure")
    text = f"requested ramping version {one.legacy} is already current"
    refused = raw.refused(ramping, build_id="1", percentage=5.0, **fields)
    assert refused == Refusal("FAILED_PRECONDITION", text, None)
    text = f"version '{deployment}:1' cannot be deleted since it is current or ramping"
    refused = raw.refused("DeleteWorkerDeploymentVersion", deployment_version=one.version)
    assert refused == Refusal("FAILED_PRECONDITION", text, None)
    text = "deployment has versions, can't be deleted"
    refused = raw.refused("DeleteWorkerDeployment", deployment_name=deployment)
    assert refused == Refusal("FAILED_PRECONDITION", text, None)
    made = two.make_current()
    text = f"version '{deployment}:1' cannot be deleted since it is draining"
    refused = raw.refused("DeleteWorkerDeploymentVersion", deployment_version=one.version)
    assert refused == Refusal("FAILED_PRECONDITION", text, None)
    text = f"version '{deployment}:1' cannot be deleted since it has active pollers"
    refused = raw.refused(
        "DeleteWorkerDeploymentVersion", deployment_version=one.version, skip_drainage=True
    )
    assert refused == Refusal("FAILED_PRECONDITION", text, None)
    raw.call(current, build_id="1", conflict_token=made.conflict_token, **fields)


def test_only_the_manager_may_change_the_routing(
    raw: Raw, deployment: str, one: VersionedWorker, two: VersionedWorker
):
    fields = {"deployment_name": deployment, "identity": "operator"}
    set_manager = "SetWorkerDeploymentManager"
    answer = raw.call(set_manager, manager_identity="boss", **fields)
    assert answer.previous_manager_identity == ""
    assert describe(raw, deployment).manager_identity == "boss"
    text = (
        "ManagerIdentity 'boss' is set and does not match user identity 'operator'; to proceed, "
        "set your own identity as the ManagerIdentity, remove the ManagerIdentity, or wait for "
        "the other client to do so"
    )
    for method in ("SetWorkerDeploymentCurrentVersion", "SetWorkerDeploymentRampingVersion"):
        refused = raw.refused(method, build_id="1", **fields)
        assert refused == Refusal("FAILED_PRECONDITION", text, None)
    raw.call(set_manager, manager_identity="", **fields)
    one.make_current()


def test_a_deployment_and_its_versions_can_be_made_and_deleted(raw: Raw, deployment: str):
    create = {"deployment_name": deployment, "identity": "me"}
    made = raw.call("CreateWorkerDeployment", request_id="a", **create)
    again = raw.call("CreateWorkerDeployment", request_id="a", **create)
    assert made.conflict_token == again.conflict_token
    text = f'Worker Deployment with name "{deployment}" already exists'
    refused = raw.refused("CreateWorkerDeployment", request_id="b", **create)
    assert refused == Refusal("ALREADY_EXISTS", text, None)
    worker = VersionedWorker(raw, deployment, "1")
    version = {"deployment_version": worker.version, "identity": "me"}
    raw.call("CreateWorkerDeploymentVersion", request_id="a", **version)
    raw.call("CreateWorkerDeploymentVersion", request_id="a", **version)
    text = f'Worker Deployment Version "{worker.legacy}" already exists'
    refused = raw.refused("CreateWorkerDeploymentVersion", request_id="b", **version)
    assert refused == Refusal("ALREADY_EXISTS", text, None)
    assert statuses(raw, deployment) == {"1": "CREATED"}

    def names():
        return [d.name for d in raw.call("ListWorkerDeployments").worker_deployments]

    wait_for_sync(lambda: deployment in names(), "the deployment is listed")
    raw.call("DeleteWorkerDeploymentVersion", deployment_version=worker.version)
    raw.call("DeleteWorkerDeployment", deployment_name=deployment)
    raw.call("DeleteWorkerDeployment", deployment_name=deployment)
    refused = raw.refused("DescribeWorkerDeployment", deployment_name=deployment)
    text = (
        f"no Worker Deployment found with name '{deployment}'; does your Worker Deployment have "
        "pollers?"
    )
    assert refused == Refusal("NOT_FOUND", text, "NotFoundFailure")


def test_a_version_without_pollers_can_be_current_if_one_insists(raw: Raw, deployment: str):
    worker = VersionedWorker(raw, deployment, "new")
    worker.make_current(allow_no_pollers=True)
    assert statuses(raw, deployment) == {"new": "CURRENT"}


def test_metadata_is_kept_with_the_version(raw: Raw, one: VersionedWorker):
    method = "UpdateWorkerDeploymentVersionMetadata"
    entries = {"a": payload(b"1"), "b": payload(b"2")}
    answer = raw.call(method, deployment_version=one.version, upsert_entries=entries)
    assert dict(answer.metadata.entries) == entries
    answer = raw.call(method, deployment_version=one.version, remove_entries=["a"])
    assert dict(answer.metadata.entries) == {"b": payload(b"2")}
    found = raw.call("DescribeWorkerDeploymentVersion", deployment_version=one.version)
    assert found.worker_deployment_version_info.metadata == answer.metadata


def test_a_list_comes_in_pages(raw: Raw):
    names = {unique("page") for _ in range(3)}
    for name in names:
        raw.call("CreateWorkerDeployment", deployment_name=name)

    def listed() -> set[str]:
        found, token = set(), b""
        while True:
            page = raw.call("ListWorkerDeployments", page_size=1, next_page_token=token)
            assert len(page.worker_deployments) <= 1
            found |= {d.name for d in page.worker_deployments}
            token = page.next_page_token
            if not token:
                return found

    wait_for_sync(lambda: names <= listed(), "all are listed")
    for name in names:
        raw.call("DeleteWorkerDeployment", deployment_name=name)


REFUSALS = [
    ("CreateWorkerDeployment", {}, "deployment name cannot be empty"),
    (
        "CreateWorkerDeployment",
        {"deployment_name": "a.b"},
        "worker deployment name cannot contain '.'",
    ),
    (
        "CreateWorkerDeployment",
        {"deployment_name": "a:b"},
        "worker deployment name cannot contain ':'",
    ),
    (
        "CreateWorkerDeployment",
        {"deployment_name": "__a"},
        "WorkerDeploymentName cannot start with '__'",
    ),
    ("DescribeWorkerDeployment", {}, "WorkerDeploymentName cannot be empty"),
    ("DescribeWorkerDeploymentVersion", {}, "deployment version cannot be empty"),
    (
        "DescribeWorkerDeploymentVersion",
        {"version": "bad"},
        'invalid version string "bad", expected format is "<deployment_name>.<build_id>"',
    ),
    ("SetWorkerDeploymentCurrentVersion", {"build_id": "1"}, "deployment name cannot be empty"),
    (
        "SetWorkerDeploymentRampingVersion",
        {"deployment_name": "a", "build_id": "1", "percentage": 101},
        "Percentage must be between 0 and 100 (inclusive)",
    ),
    ("SetWorkerDeploymentManager", {"deployment_name": "a"}, "Identity is required"),
    (
        "UpdateWorkerDeploymentVersionMetadata",
        {"version": "a.1"},
        "At least one of remove_entries or upsert_entries must be provided",
    ),
]


@pytest.mark.parametrize(("method", "fields", "text"), REFUSALS)
def test_bad_requests_are_refused(raw: Raw, method: str, fields: dict, text: str):
    assert raw.refused(method, **fields) == Refusal("INVALID_ARGUMENT", text, None)


@pytest.mark.parametrize(
    ("name", "build_id", "text"),
    [
        ("a", "", "Deployment name and build id must be set together."),
        ("", "1", "Deployment name and build id must be set together."),
        ("a.b", "1", "worker deployment name cannot contain '.'"),
        ("__a", "1", "WorkerDeploymentName cannot start with '__'"),
        ("a", "__1", "BuildID cannot start with '__'"),
    ],
)
def test_a_poll_of_a_version_with_a_bad_name_is_refused(
    raw: Raw, queue: str, name: str, build_id: str, text: str
):
    options = VersionedWorker(raw, name, build_id).options
    refused = raw.refused(
        "PollWorkflowTaskQueue", task_queue=TaskQueue(name=queue), deployment_options=options
    )
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


SETS = "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace."
RULES = "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace."
DEPLOYMENTS = "Deployments are deprecated and no longer supported, use Worker Deployments instead"
OLDER_WAYS = [
    ("GetWorkerBuildIdCompatibility", "PERMISSION_DENIED", SETS),
    ("UpdateWorkerBuildIdCompatibility", "PERMISSION_DENIED", SETS),
    ("GetWorkerVersioningRules", "PERMISSION_DENIED", RULES),
    ("UpdateWorkerVersioningRules", "PERMISSION_DENIED", RULES),
    ("GetWorkerTaskReachability", "PERMISSION_DENIED", RULES),
    ("DescribeDeployment", "UNIMPLEMENTED", DEPLOYMENTS),
    ("ListDeployments", "UNIMPLEMENTED", DEPLOYMENTS),
    ("GetDeploymentReachability", "UNIMPLEMENTED", DEPLOYMENTS),
    ("GetCurrentDeployment", "UNIMPLEMENTED", DEPLOYMENTS),
    ("SetCurrentDeployment", "UNIMPLEMENTED", DEPLOYMENTS),
]


@pytest.mark.parametrize(("method", "code", "text"), OLDER_WAYS)
def test_older_ways_of_versioning_are_disabled(raw: Raw, method: str, code: str, text: str):
    refused = raw.refused(method)
    assert (refused.code, refused.text) == (code, text)
    nowhere = raw.refused(method, namespace="nowhere")
    text = "Namespace nowhere is not found."
    assert nowhere == Refusal("NOT_FOUND", text, "NamespaceNotFoundFailure")
