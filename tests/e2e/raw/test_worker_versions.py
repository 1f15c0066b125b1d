"""Which version of the workers gets a run's tasks, and what its history says of it."""

import pytest
from grpc import RpcError
from temporalio.api.command.v1 import Command
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import (
    CommandType,
    ContinueAsNewVersioningBehavior,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.api.workflow.v1 import VersioningOverride

from harness.raw import (
    Raw,
    Refusal,
    complete_workflow,
    refusal_of,
    schedule_activity,
    start_child,
    start_timer,
    sticky,
    sticky_queue,
)
from harness.sdk import unique
from harness.versioned import AUTO_UPGRADE, PINNED, VersionedWorker, pinned_to
from harness.waiting import wait_for_sync

INVALID = StartChildWorkflowExecutionFailedCause.Value(
    "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_INVALID_VERSIONING_OVERRIDE"
)


@pytest.fixture
def deployment() -> str:
    return unique("deployment")


@pytest.fixture
def one(raw: Raw, deployment: str, queue: str) -> VersionedWorker:
    return VersionedWorker(raw, deployment, "1").register(queue)


@pytest.fixture
def two(raw: Raw, deployment: str, queue: str, one: VersionedWorker) -> VersionedWorker:
    return VersionedWorker(raw, deployment, "2").register(queue)


def history(raw: Raw, run):
    return raw.call("GetWorkflowExecutionHistory", execution=run).history.events


def info(raw: Raw, run):
    return raw.call("DescribeWorkflowExecution", execution=run).workflow_execution_info


def continue_as_new(queue: str = "", behavior: int = 0) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.task_queue.name = queue
    attributes.workflow_type.name = "workflow"
    attributes.initial_versioning_behavior = behavior
    return command


def search_attributes(found) -> dict[str, bytes]:
    return {name: value.data for name, value in found.search_attributes.indexed_fields.items()}


def test_a_run_goes_to_the_current_version_and_says_so(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    two.make_current()
    run = raw.start(queue)
    assert one.gets_nothing(queue)
    task = two.poll(queue)
    assert task.workflow_execution == run
    moving = info(raw, run).versioning_info
    assert moving.version_transition.deployment_version == two.version
    assert moving.version_transition.version == two.legacy
    assert moving.revision_number == 1
    two.complete(task, AUTO_UPGRADE, start_timer("t", 600_000))
    found = info(raw, run)
    assert found.versioning_info.behavior == AUTO_UPGRADE
    assert found.versioning_info.deployment_version == two.version
    assert found.versioning_info.version == two.legacy
    assert not found.versioning_info.HasField("version_transition")
    assert found.worker_deployment_name == two.deployment
    text = f"{two.deployment}:2".encode()
    assert search_attributes(found) == {
        "TemporalWorkerDeployment": b'"%s"' % two.deployment.encode(),
        "TemporalWorkerDeploymentVersion": b'"%s"' % text,
        "TemporalWorkflowVersioningBehavior": b'"AutoUpgrade"',
        "TemporalUsedWorkerDeploymentVersions": b'["%s"]' % text,
    }
    completed = history(raw, run)[3].workflow_task_completed_event_attributes
    assert completed.deployment_version == two.version
    assert completed.versioning_behavior == AUTO_UPGRADE
    assert completed.worker_deployment_name == two.deployment
    assert completed.worker_deployment_version == ""
    raw.terminate(run)


def test_a_pinned_run_stays_and_is_told_of_the_newer_version(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    run = raw.start(queue)
    one.complete(one.poll(queue), PINNED, start_timer("t", 100))
    found = info(raw, run)
    pinned = b'["pinned:%s:1"]' % one.deployment.encode()
    assert search_attributes(found)["BuildIds"] == pinned
    assert search_attributes(found)["TemporalWorkflowVersioningBehavior"] == b'"Pinned"'
    two.make_current()
    assert two.gets_nothing(queue)
    task = one.poll(queue)
    assert task.workflow_execution == run
    started = task.history.events[-1].workflow_task_started_event_attributes
    assert started.target_worker_deployment_version_changed
    one.complete(task, PINNED, continue_as_new(queue))
    task = one.poll(queue)
    begun = task.history.events[0].workflow_execution_started_event_attributes
    assert begun.inherited_pinned_version == one.version
    assert begun.declined_target_version_upgrade.deployment_version == two.version
    upgrade = ContinueAsNewVersioningBehavior.CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE
    one.complete(task, PINNED, continue_as_new(queue, upgrade))
    task = two.poll(queue)
    begun = task.history.events[0].workflow_execution_started_event_attributes
    assert not begun.HasField("inherited_pinned_version")
    two.complete(task, PINNED, complete_workflow(b"1"))


def test_an_auto_upgrade_run_moves_and_its_activities_follow(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    assert one.gets_no_activity(queue) and two.gets_no_activity(queue)
    wait_for_sync(lambda: two.is_registered(queue, 2), "the activity queue is registered")
    run = raw.start(queue)
    one.complete(one.poll(queue), AUTO_UPGRADE, schedule_activity("a", queue))
    two.make_current()
    wait_for_sync(lambda: two.is_registered(queue, 2), "the activity queue is registered")
    # The activity may not run before a workflow task has completed on the new version.
    assert two.gets_no_activity(queue)
    task = two.poll(queue)
    assert task.workflow_execution == run
    two.complete(task, AUTO_UPGRADE)
    activity = two.poll_activity(queue)
    assert activity.activity_id == "a"
    raw.call("RespondActivityTaskCompleted", task_token=activity.task_token)
    task = two.poll(queue)
    two.complete(task, AUTO_UPGRADE, complete_workflow(b"1"))


def test_tasks_that_wait_follow_a_change_at_once(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    runs = [raw.start(queue).run_id for _ in range(3)]
    two.make_current()
    tasks = [two.poll(queue) for _ in range(3)]
    assert {task.workflow_execution.run_id for task in tasks} == set(runs)
    for task in tasks:
        two.complete(task, AUTO_UPGRADE, complete_workflow(b"1"))


def test_a_run_leaves_its_sticky_worker_when_its_version_is_no_longer_current(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    own = unique("sticky")
    assert one.gets_nothing(sticky_queue(own, queue))
    run = raw.start(queue)
    attributes = sticky(own, queue, seconds=600)
    one.complete(one.poll(queue), AUTO_UPGRADE, sticky_attributes=attributes)
    two.make_current()
    raw.signal(run)
    task = two.poll(queue)
    assert task.workflow_execution == run
    assert task.history.events[0].event_id == 1
    two.complete(task, AUTO_UPGRADE, complete_workflow(b"1"))


def test_a_ramp_splits_workflows_by_their_ids_as_the_reference_does(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    two.ramp(40.0)
    # Where a workflow goes is a property of its id: these are the reference's answers.
    expected = dict(zip((f"order-{number}" for number in range(8)), "12122121", strict=True))
    for workflow_id in expected:
        raw.start(queue, workflow_id)
    got = {}
    for worker in (one, two):
        for _ in range(4):
            task = worker.poll(queue)
            got[task.workflow_execution.workflow_id] = worker.build_id
            worker.complete(task, AUTO_UPGRADE, complete_workflow(b"1"))
    assert got == expected


def test_an_override_pins_a_run(raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker):
    two.make_current()
    run = raw.start(queue, versioning_override=pinned_to(one))
    found = info(raw, run)
    assert found.versioning_info.versioning_override.pinned.version == one.version
    assert found.versioning_info.versioning_override.behavior == PINNED
    assert found.versioning_info.versioning_override.pinned_version == one.legacy
    assert found.worker_deployment_name == one.deployment
    started = history(raw, run)[0].workflow_execution_started_event_attributes
    assert started.versioning_override == pinned_to(one)
    task = one.poll(queue)
    assert task.workflow_execution == run
    one.complete(task, AUTO_UPGRADE, continue_as_new(queue))
    task = one.poll(queue)
    started = task.history.events[0].workflow_execution_started_event_attributes
    assert started.versioning_override == pinned_to(one)
    one.complete(task, AUTO_UPGRADE, complete_workflow(b"1"))


def test_overrides_that_cannot_be_are_refused(raw: Raw, queue: str, one: VersionedWorker):
    def refused(override: VersioningOverride) -> Refusal:
        try:
            raw.start(queue, versioning_override=override)
        except RpcError as error:
            return refusal_of(error)
        raise AssertionError("not refused")

    unknown = VersionedWorker(raw, one.deployment, "9")
    text = (
        f"Pinned version '{one.deployment}:9' is not present in task queue '{queue}' of type "
        "'Workflow'"
    )
    assert refused(pinned_to(unknown)) == Refusal("FAILED_PRECONDITION", text, None)
    legacy = VersioningOverride(behavior=PINNED, pinned_version=unknown.legacy)
    assert refused(legacy) == Refusal("FAILED_PRECONDITION", text, None)
    pinned = VersioningOverride.PinnedOverride
    for override, text in [
        (VersioningOverride(), "override behavior is required"),
        (VersioningOverride(auto_upgrade=False), "auto-upgrade override must be true"),
        (
            VersioningOverride(pinned=pinned(version=one.version)),
            "must specify pinned override behavior if override is pinned.",
        ),
        (
            VersioningOverride(pinned=pinned(behavior=1)),
            "must provide version if override is pinned.",
        ),
        (
            VersioningOverride(behavior=PINNED),
            "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'",
        ),
        (
            VersioningOverride(behavior=PINNED, pinned_version="bad"),
            'invalid version string "bad", expected format is "<deployment_name>.<build_id>"',
        ),
    ]:
        assert refused(override) == Refusal("INVALID_ARGUMENT", text, None)


def test_a_behavior_without_a_version_is_refused(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=task.task_token, versioning_behavior=PINNED
    )
    text = (
        "versioning behavior cannot be specified without deployment options being set with "
        "versioned mode"
    )
    assert refused == Refusal("INVALID_ARGUMENT", text, None)
    raw.terminate(run)


def overridden(queue: str, **chosen) -> Command:
    """The command that starts a child with an override."""
    return start_child(unique("child"), queue, versioning_override=VersioningOverride(**chosen))


def test_a_child_goes_to_the_version_that_its_parent_chooses(
    raw: Raw, queue: str, one: VersionedWorker, two: VersionedWorker
):
    one.make_current()
    run = raw.start(queue)
    command = start_child(unique("child"), queue, versioning_override=pinned_to(two))
    one.complete(one.poll(queue), PINNED, command)
    task = two.poll(queue)
    child = task.workflow_execution
    chosen = info(raw, child).versioning_info.versioning_override
    assert chosen.pinned.version == two.version
    initiated = history(raw, run)[4]
    said = initiated.start_child_workflow_execution_initiated_event_attributes
    assert said.versioning_override.pinned.version == two.version
    started = history(raw, child)[0].workflow_execution_started_event_attributes
    assert started.versioning_override.pinned.version == two.version
    raw.terminate(run)


def test_a_child_is_not_started_on_a_version_that_serves_nobody(raw: Raw, queue: str):
    run = raw.start(queue)
    nowhere = WorkerDeploymentVersion(deployment_name="nowhere", build_id="1")
    pins = [
        VersioningOverride.PinnedOverride(
            behavior=VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED, version=version
        )
        for version in (nowhere, WorkerDeploymentVersion())
    ]
    raw.complete(raw.poll(queue), *(overridden(queue, pinned=pinned) for pinned in pins))

    def failures() -> list[int]:
        events = [
            event.start_child_workflow_execution_failed_event_attributes
            for event in history(raw, run)
            if event.HasField("start_child_workflow_execution_failed_event_attributes")
        ]
        return sorted(event.initiated_event_id for event in events if event.cause == INVALID)

    wait_for_sync(lambda: failures() == [5, 6], "both children refused")
    raw.terminate(run)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({}, "override behavior is required"),
        (
            {"one_time": VersioningOverride.OneTimeOverride()},
            "must provide target deployment version if override is one-time.",
        ),
    ],
)
def test_an_override_of_a_child_that_says_nothing_fails_the_task(
    raw: Raw, queue: str, chosen: dict, text: str
):
    run = raw.start(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted",
        task_token=raw.poll(queue).task_token,
        commands=[overridden(queue, **chosen)],
    )
    assert refused.text == f"BadStartChildExecutionAttributes: {text}"
    raw.terminate(run)
