"""What is told of a task queue, used or not."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import (
    BuildIdTaskReachability,
    DescribeTaskQueueMode,
    TaskQueueKind,
    TaskQueueType,
)
from temporalio.api.taskqueue.v1 import TaskQueue, TaskQueueVersionSelection

from harness.raw import Raw, Refusal, sticky_queue
from harness.waiting import wait_for_sync

ENHANCED = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED
WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
NEXUS = TaskQueueType.TASK_QUEUE_TYPE_NEXUS
NEVER = Timestamp(seconds=-62_135_596_800)


def describe(raw: Raw, queue: str | TaskQueue, task_type: int = WORKFLOW, **fields):
    queue = TaskQueue(name=queue) if isinstance(queue, str) else queue
    return raw.call("DescribeTaskQueue", task_queue=queue, task_queue_type=task_type, **fields)


@pytest.mark.parametrize("task_type", [WORKFLOW, ACTIVITY, NEXUS])
def test_a_queue_that_nobody_uses_is_empty(raw: Raw, queue: str, task_type: int):
    found = describe(raw, queue, task_type, report_stats=True)
    assert not found.pollers
    assert found.versioning_info.current_version == "__unversioned__"
    assert found.versioning_info.update_time == NEVER
    assert found.stats.approximate_backlog_count == 0
    assert found.stats.HasField("approximate_backlog_age")
    assert list(found.stats_by_priority_key) == [3]


def test_tasks_that_wait_are_counted(raw: Raw, queue: str):
    for _ in range(3):
        raw.start(queue)

    def waiting():
        return describe(raw, queue, report_stats=True).stats.approximate_backlog_count == 3

    # The reference remembers an answer for some seconds.
    wait_for_sync(waiting, "three tasks")
    found = describe(raw, queue, report_stats=True)
    assert found.stats_by_priority_key[3].approximate_backlog_count == 3
    assert found.stats.approximate_backlog_age.ToNanoseconds() > 0
    assert found.stats.tasks_add_rate > 0


def test_a_sticky_queue_has_no_versions(raw: Raw, queue: str):
    found = describe(raw, sticky_queue("own", queue))
    assert not found.HasField("versioning_info")
    refused = raw.refused("DescribeTaskQueue", task_queue=sticky_queue("own", queue), api_mode=1)
    text = (
        "Enhanced DescribeTaskQueue is not valid for a sticky queue, "
        "use api_mode=UNSPECIFIED or a normal queue."
    )
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_the_older_description_has_both_types(raw: Raw, queue: str):
    found = describe(
        raw, queue, api_mode=ENHANCED, report_stats=True, report_task_reachability=True
    )
    info = found.versions_info[""]
    assert sorted(info.types_info) == [WORKFLOW, ACTIVITY]
    assert info.task_reachability == (BuildIdTaskReachability.BUILD_ID_TASK_REACHABILITY_REACHABLE)
    for of_type in info.types_info.values():
        assert of_type.stats.HasField("approximate_backlog_age")


def test_a_partition_is_described_by_its_own_name(raw: Raw, queue: str):
    assert not describe(raw, f"/_sys/{queue}/1").pollers
    for name in ("/_sys/a", "/_sys//1", "/_sys/a/b", "/_sys/a/0"):
        refused = raw.refused("DescribeTaskQueue", task_queue=TaskQueue(name=name))
        text = f"invalid task queue partition name {name}"
        assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_too_many_versions_are_refused(raw: Raw, queue: str):
    refused = raw.refused(
        "DescribeTaskQueue",
        task_queue=TaskQueue(name=queue),
        report_task_reachability=True,
        versions=TaskQueueVersionSelection(build_ids=[str(number) for number in range(6)]),
    )
    text = "Too many build ids queried at once with ReportTaskReachability==true, limit: 5"
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_a_queue_for_commands_is_polled_like_others(raw: Raw, queue: str):
    kind = TaskQueueKind.TASK_QUEUE_KIND_WORKER_COMMANDS
    task_queue = TaskQueue(name=queue, kind=kind)
    raw.call("PollNexusTaskQueue", timeout=2.5, task_queue=task_queue, identity="me")
