"""Heartbeats of workers, and the lists, counts and descriptions made of them."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import PluginInfo, WorkerHeartbeat, WorkerHostInfo, WorkerSlotsInfo

from harness.raw import Raw, Refusal
from harness.sdk import unique
from harness.waiting import wait_for_sync

RUNNING = WorkerStatus.WORKER_STATUS_RUNNING
SHUTTING_DOWN = WorkerStatus.WORKER_STATUS_SHUTTING_DOWN
SHUTDOWN = WorkerStatus.WORKER_STATUS_SHUTDOWN


def heartbeat(key: str, queue: str, **fields) -> WorkerHeartbeat:
    """What a worker of an SDK sends."""
    beat = WorkerHeartbeat(
        worker_instance_key=key,
        worker_identity=f"identity-{key}",
        host_info=WorkerHostInfo(
            host_name="host",
            worker_grouping_key="group",
            process_id="7",
            current_host_cpu_usage=0.5,
        ),
        task_queue=queue,
        deployment_version=WorkerDeploymentVersion(deployment_name="shop", build_id="1.0"),
        sdk_name="raw",
        sdk_version="0.1",
        status=RUNNING,
        start_time=Timestamp(seconds=1_000_000_000),
        heartbeat_time=Timestamp(seconds=1_700_000_000),
        activity_task_slots_info=WorkerSlotsInfo(current_available_slots=5),
        total_sticky_cache_hit=3,
        plugins=[PluginInfo(name="plugin", version="2")],
    )
    beat.MergeFrom(WorkerHeartbeat(**fields))
    return beat


def record(raw: Raw, *beats: WorkerHeartbeat) -> None:
    raw.call("RecordWorkerHeartbeat", identity="process", worker_heartbeat=beats)


def listed(raw: Raw, query: str, **fields) -> list[str]:
    found = raw.call("ListWorkers", query=query, **fields)
    return sorted(worker.worker_instance_key for worker in found.workers)


@pytest.fixture
def workers(raw: Raw, queue: str) -> list[WorkerHeartbeat]:
    """Three workers of one queue that differ in build, status and start."""
    prefix = unique("worker")
    beats = [
        heartbeat(f"{prefix}-a", queue),
        heartbeat(f"{prefix}-b", queue, status=SHUTTING_DOWN, sdk_version="0.2"),
        heartbeat(f"{prefix}-c", queue, start_time=Timestamp(seconds=1_500_000_000)),
    ]
    beats[2].ClearField("deployment_version")
    record(raw, *beats)
    return beats


def test_a_worker_is_described_by_its_last_heartbeat(raw: Raw, queue: str, workers):
    first = workers[0]
    described = raw.call("DescribeWorker", worker_instance_key=first.worker_instance_key)
    assert described.worker_info.worker_heartbeat == first
    newer = heartbeat(first.worker_instance_key, queue, total_sticky_cache_hit=9)
    record(raw, newer)
    described = raw.call("DescribeWorker", worker_instance_key=first.worker_instance_key)
    assert described.worker_info.worker_heartbeat == newer


def test_a_list_shows_a_part_of_each_worker(raw: Raw, queue: str, workers):
    found = raw.call("ListWorkers", query=f"TaskQueue = '{queue}'", page_size=100)
    assert [info.worker_heartbeat for info in found.workers_info] == workers
    shown = found.workers[0]
    assert shown.worker_instance_key == workers[0].worker_instance_key
    assert shown.worker_identity == workers[0].worker_identity
    assert shown.task_queue == queue
    assert shown.deployment_version == workers[0].deployment_version
    assert (shown.sdk_name, shown.sdk_version) == ("raw", "0.1")
    assert shown.status == RUNNING
    assert shown.start_time == workers[0].start_time
    assert (shown.host_name, shown.worker_grouping_key, shown.process_id) == ("host", "group", "7")
    assert list(shown.plugins) == list(workers[0].plugins)


FILTERS = [
    ("WorkerIdentity = 'identity-{a}'", "a"),
    ("WorkerInstanceKey != '{a}'", "bc"),
    ('WorkerInstanceKey="{b}"', "b"),
    ("WorkerInstanceKey STARTS_WITH '{a}'", "a"),
    ("WorkerInstanceKey NOT STARTS_WITH '{a}'", "bc"),
    ("HostName = 'host'", "abc"),
    ("DeploymentName = 'shop' AND BuildId = '1.0'", "ab"),
    ("DeploymentName IS NULL", "c"),
    ("BuildId IS NOT NULL", "ab"),
    ("SdkName = 'raw' AND SdkVersion = '0.2'", "b"),
    ("Status = 'Running'", "ac"),
    ("status = 'ShuttingDown'", "b"),
    ("WorkerStatus != 'Running'", "b"),
    ("StartTime > '2010-01-01T00:00:00Z'", "c"),
    ("StartTime = 1000000000000000000", "ab"),
    ("StartTime BETWEEN '2001-01-01T00:00:00Z' AND '2002-01-01T00:00:00Z'", "ab"),
    ("StartTime NOT BETWEEN '2001-01-01T00:00:00Z' AND '2002-01-01T00:00:00Z'", "c"),
    ("HeartbeatTime IS NOT NULL", "abc"),
    ("HeartbeatTime IS NULL", ""),
    ("(SdkVersion = '0.2' OR DeploymentName IS NULL)", "bc"),
    # What makes no sense for a worker matches none.
    ("Unknown = 'x'", ""),
    ("SdkVersion = '0.1' OR Unknown = 'x'", "ac"),
    ("Unknown = 'x' OR SdkVersion = '0.1'", ""),
    ("SdkVersion > '0.1'", ""),
    ("NOT SdkVersion = '0.1'", ""),
    ("SdkVersion IN ('0.1')", ""),
    ("StartTime > 'yesterday'", ""),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=[query for query, _ in FILTERS])
def test_a_filter_chooses_workers(raw: Raw, queue: str, workers, query: str, expected: str):
    keys = {beat.worker_instance_key[-1]: beat.worker_instance_key for beat in workers}
    query = f"TaskQueue = '{queue}' AND ({query.format(**keys)})"
    assert listed(raw, query, page_size=100) == [keys[letter] for letter in expected]
    assert raw.call("CountWorkers", query=query).count == len(expected)


def test_a_list_has_pages(raw: Raw, queue: str, workers):
    query, token, keys = f"TaskQueue = '{queue}'", b"", []
    for expected in (2, 1):
        page = raw.call("ListWorkers", query=query, page_size=2, next_page_token=token)
        assert len(page.workers) == expected
        keys += [worker.worker_instance_key for worker in page.workers]
        token = page.next_page_token
    assert not token
    assert keys == [beat.worker_instance_key for beat in workers]


def test_a_worker_that_has_shut_down_is_gone(raw: Raw, queue: str, workers):
    key = workers[0].worker_instance_key
    record(raw, heartbeat(key, queue, status=SHUTDOWN))
    gone = Refusal("NOT_FOUND", f"Worker {key} not found", "NotFoundFailure")
    assert raw.refused("DescribeWorker", worker_instance_key=key) == gone
    assert listed(raw, f"WorkerInstanceKey = '{key}'") == []


def test_a_shutdown_carries_the_last_heartbeat(raw: Raw, queue: str, workers):
    key = workers[0].worker_instance_key
    last = heartbeat(key, queue, status=SHUTTING_DOWN)
    raw.call("ShutdownWorker", sticky_task_queue="sticky", identity="x", worker_heartbeat=last)
    described = raw.call("DescribeWorker", worker_instance_key=key)
    assert described.worker_info.worker_heartbeat == last


def test_a_nexus_poll_carries_heartbeats(raw: Raw, queue: str):
    key = unique("worker")
    answer = raw.call(
        "PollNexusTaskQueue",
        timeout=2.5,
        task_queue=TaskQueue(name=queue),
        identity="process",
        worker_heartbeat=[heartbeat(key, queue)],
    )
    assert not answer.task_token
    wait_for_sync(lambda: listed(raw, f"WorkerInstanceKey = '{key}'") == [key], "the worker")


def test_workers_of_the_server_are_listed_only_when_asked_for(raw: Raw):
    key = unique("worker")
    record(raw, heartbeat(key, "temporal-sys-per-ns-tq"))
    query = f"WorkerInstanceKey = '{key}'"
    assert listed(raw, query) == []
    assert raw.call("CountWorkers", query=query).count == 0
    assert listed(raw, query, include_system_workers=True) == [key]
    assert raw.call("CountWorkers", query=query, include_system_workers=True).count == 1


@pytest.mark.parametrize("method", ["ListWorkers", "CountWorkers"])
def test_a_query_that_is_none_is_refused(raw: Raw, method: str):
    malformed = raw.refused(method, query="TaskQueue =")
    text = "malformed query: syntax error at position 39"
    assert malformed == Refusal("INVALID_ARGUMENT", text, None)
    near = raw.refused(method, query="TaskQueue = 'a' 'b'")
    text = "malformed query: syntax error at position 47 near 'b'"
    assert near == Refusal("INVALID_ARGUMENT", text, None)
    limited = raw.refused(method, query="TaskQueue = 'a' limit 5")
    text = "operation is not supported: 'limit' clause"
    assert limited == Refusal("INVALID_ARGUMENT", text, None)


def test_what_is_unknown_is_refused(raw: Raw, workers):
    refused = raw.refused("DescribeWorker", worker_instance_key="nobody")
    assert refused == Refusal("NOT_FOUND", "Worker nobody not found", "NotFoundFailure")
    refused = raw.refused("ListWorkers", namespace="nowhere")
    text = "Namespace nowhere is not found."
    assert refused == Refusal("NOT_FOUND", text, "NamespaceNotFoundFailure")
    refused = raw.refused("ListWorkers", page_size=1, next_page_token=b"\xff")
    assert refused == Refusal("INVALID_ARGUMENT", "invalid next_page_token", None)


@pytest.mark.parametrize("method", ["FetchWorkerConfig", "UpdateWorkerConfig"])
def test_settings_of_workers_are_not_served(raw: Raw, method: str):
    text = f"{method} command is not enabled."
    assert raw.refused(method) == Refusal("UNIMPLEMENTED", text, None)
