"""`temporal worker`."""

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerHostInfo

from harness.raw import Raw
from harness.sdk import unique


def beat(raw: Raw, queue: str) -> str:
    """A worker that was just heard of; its instance key."""
    key = unique("worker")
    heartbeat = WorkerHeartbeat(
        worker_instance_key=key,
        worker_identity="somebody",
        host_info=WorkerHostInfo(host_name="host", process_id="7"),
        task_queue=queue,
        sdk_name="raw",
        sdk_version="0.1",
        status=WorkerStatus.WORKER_STATUS_RUNNING,
        start_time=Timestamp(seconds=1_700_000_000),
    )
    raw.call("RecordWorkerHeartbeat", worker_heartbeat=[heartbeat])
    return key


def test_workers_are_listed_by_a_query(cli, raw: Raw, queue: str):
    keys = sorted(beat(raw, queue) for _ in range(3))

    def listed(query: str) -> list[dict]:
        return [entry["workerHeartbeat"] for entry in cli.json("worker", "list", "--query", query)]

    found = listed(f"TaskQueue = '{queue}'")
    assert sorted(entry["workerInstanceKey"] for entry in found) == keys
    assert {entry["workerIdentity"] for entry in found} == {"somebody"}
    found = listed(f"WorkerInstanceKey = '{keys[1]}'")
    assert [entry["workerInstanceKey"] for entry in found] == [keys[1]]
    assert keys[0] in cli.text("worker", "list", "--query", f"TaskQueue = '{queue}'")


def test_a_worker_is_described(cli, raw: Raw, queue: str):
    key = beat(raw, queue)
    shown = cli.text("worker", "describe", "--worker-instance-key", key)
    for text in (key, queue, "somebody", "raw", "0.1"):
        assert text in shown
    assert "Worker nobody not found" in cli.fails(
        "worker", "describe", "--worker-instance-key", "nobody"
    )


def test_a_bad_query_is_refused(cli):
    assert "malformed query" in cli.fails("worker", "list", "--query", "TaskQueue =")
