"""Both command lines say the same about work without a workflow, about many, and about workers."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.nexus.v1 import Response, StartOperationResponse
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerHostInfo

from harness.answers import stable
from harness.command_line import Cli
from harness.raw import Raw, complete_workflow, payload
from harness.sdk import unique
from harness.waiting import wait_for_sync

OPERATION = ("nexus", "operation")


@pytest.fixture
def endpoint(theirs: Cli, queue: str) -> str:
    """An endpoint whose operations this test answers."""
    name = unique("endpoint")
    theirs.text(
        "operator", "nexus", "endpoint", "create", "--name", name,
        "--target-namespace", "default", "--target-task-queue", queue,
    )  # fmt: skip
    return name


def answered(raw: Raw, queue: str, data: bytes) -> None:
    """Answers the next operation of a queue at once."""
    task = raw.call(
        "PollNexusTaskQueue", task_queue=TaskQueue(name=queue), identity="raw", timeout=20
    )
    sync = StartOperationResponse.Sync(payload=payload(data))
    result = StartOperationResponse(sync_success=sync)
    raw.call(
        "RespondNexusTaskCompleted",
        task_token=task.task_token,
        identity="raw",
        response=Response(start_operation=result),
    )


def test_an_operation_is_executed_and_read(
    same, ours: Cli, theirs: Cli, raw: Raw, queue: str, endpoint: str
):
    answers = []
    for cli in (ours, theirs):
        operation = unique("operation")
        words = ["--operation-id", operation, "--endpoint", endpoint, "--service", "s"]
        words += ["--operation", "o", "-i", '{"a": 1}', "--static-summary", "what for"]
        words += ["--schedule-to-close-timeout", "20s", "--identity", "me"]
        with ThreadPoolExecutor() as pool:
            executing = pool.submit(cli.json, *OPERATION, "execute", *words)
            answered(raw, queue, b'{"out": [1]}')
            answers.append(stable(executing.result(), {operation: "<id>"}))
        same(*OPERATION, "result", "--operation-id", operation)
        same(*OPERATION, "describe", "--operation-id", operation)
        query = f"OperationId = '{operation}'"
        wait_for_sync(lambda: theirs.json(*OPERATION, "list", "-q", query), "the list")  # noqa: B023
        assert len(same(*OPERATION, "list", "-q", query, rows=True)) == 1
        same(*OPERATION, "count", "-q", query)
    assert answers[0] == answers[1], json.dumps(answers)
    assert answers[0]["result"] == {"out": [1]}


def test_an_operation_is_ended(same, ours: Cli, theirs: Cli, endpoint: str):
    for starter, ender in ((ours, theirs), (theirs, ours)):
        operation = unique("operation")
        words = ["--operation-id", operation]
        started = starter.json(
            *OPERATION, "start", *words, "--endpoint", endpoint, "--service", "s",
            "--operation", "o",
        )  # fmt: skip
        assert started["operationId"] == operation
        ender.text(*OPERATION, "cancel", *words, "--reason", "stop")
        same(*OPERATION, "describe", *words)
        ender.text(*OPERATION, "terminate", *words, "--reason", "now")
        answers = []
        for cli in (ours, theirs):
            done = cli.run(*OPERATION, "result", *words, "-o", "json")
            assert done.returncode == 1
            answers.append(json.loads(done.stdout))
        assert answers[0] == answers[1], json.dumps(answers)
        assert answers[0]["status"] == "FAILED"


def test_an_activity_without_a_workflow_is_started_and_read(
    same, ours: Cli, theirs: Cli, raw: Raw, queue: str
):
    described = []
    for cli in (ours, theirs):
        activity = unique("activity")
        words = ["--activity-id", activity, "--type", "kind", "-t", queue, "-i", "[1]"]
        words += ["--start-to-close-timeout", "1m", "--retry-maximum-attempts", "2"]
        cli.json("activity", "start", *words, "--identity", "me", "--static-summary", "s")
        answer = same("activity", "describe", "--activity-id", activity)
        described.append(stable(answer, {activity: "<id>"}))
        query = f"ActivityId = '{activity}'"
        wait_for_sync(lambda: theirs.json("activity", "list", "-q", query), "the list")  # noqa: B023
        same("activity", "list", "-q", query, rows=True)
        same("activity", "count", "-q", query)
        cli.text("activity", "complete", "-a", activity, "--result", '"done"')
        assert same("activity", "result", "-a", activity)["result"] == "done"
        same("activity", "describe", "-a", activity)
    assert described[0] == described[1], json.dumps(described)


def test_a_batch_is_started_by_a_query_and_read(same, ours: Cli, theirs: Cli, queue: str):
    operations = [
        ["workflow", "signal", "--name", "s", "-i", "1"],
        ["workflow", "cancel"],
        ["workflow", "terminate"],
        ["workflow", "delete"],
    ]
    for index, words in enumerate(operations):
        cli = (ours, theirs)[index % 2]
        kind = unique("kind")
        for _ in range(2):
            start = ["workflow", "start", "--type", kind, "-t", queue, "-w", unique("w")]
            theirs.text(*start)
        query = f"WorkflowType = '{kind}'"
        count = ["workflow", "count", "-q", query]
        wait_for_sync(lambda: theirs.json(*count)["count"] == "2", "the runs")  # noqa: B023
        job = cli.json(*words, "-q", query, "--reason", "why", "--yes")["batchJobId"]
        describe = ["batch", "describe", "--job-id", job]
        over = lambda: "COMPLETED" in ours.text(*describe, "-o", "json")  # noqa: B023, E731
        wait_for_sync(over, "the batch")
        assert same(*describe)["completeOperationCount"] == "2"
    same("batch", "list", rows=True)


def test_workers_are_read(same, raw: Raw, queue: str):
    key = unique("worker")
    heartbeat = WorkerHeartbeat(
        worker_instance_key=key,
        worker_identity="somebody",
        host_info=WorkerHostInfo(host_name="host", process_id="7", current_host_cpu_usage=0.25),
        task_queue=queue,
        sdk_name="raw",
        sdk_version="0.1",
        status=WorkerStatus.WORKER_STATUS_RUNNING,
        start_time=Timestamp(seconds=1_700_000_000),
    )
    raw.call("RecordWorkerHeartbeat", worker_heartbeat=[heartbeat])
    query = f"TaskQueue = '{queue}'"
    assert len(same("worker", "list", "-q", query, rows=True)) == 1
    same("worker", "count", "-q", query)
    same("worker", "describe", "--worker-instance-key", key)


def test_schedules_are_listed(same, ours: Cli, theirs: Cli, queue: str):
    schedule = unique("schedule")
    words = ["--type", "kind", "-t", queue, "-w", "scheduled", "--interval", "1h", "--paused"]
    ours.text("schedule", "create", "-s", schedule, *words, "--notes", "n")
    query = ["-q", "TemporalSchedulePaused = true"]
    listed = lambda: schedule in theirs.text("schedule", "list", *query, "-o", "json")  # noqa: E731
    wait_for_sync(listed, "the schedule")
    same("schedule", "list", *query, rows=True)
    same("schedule", "list", *query, "--long")
    for cli, words in (
        (ours, ["toggle", "--unpause", "--reason", "go"]),
        (theirs, ["toggle", "--pause", "--reason", "halt"]),
        (ours, ["update", "--type", "other", "-t", queue, "-w", "x", "--cron", "0 12 * * *"]),
    ):
        cli.text("schedule", *words, "-s", schedule)
        same("schedule", "describe", "-s", schedule)
    theirs.text("schedule", "delete", "-s", schedule)


def test_updates_and_queries_are_answered(same, ours: Cli, theirs: Cli, raw: Raw, queue: str):
    """What a worker has to answer: here, that nobody does, in time."""
    workflow = unique("workflow")
    theirs.text("workflow", "start", "--type", "kind", "-t", queue, "-w", workflow)
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    for cli in (ours, theirs):
        text = cli.fails(
            "workflow", "query", "-w", workflow, "--name", "q", "--reject-condition", "not_open"
        )
        assert "query was rejected" in text
        text = cli.fails("workflow", "update", "execute", "-w", workflow, "--name", "u")
        assert "already completed" in text
