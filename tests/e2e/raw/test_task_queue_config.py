"""The settings of task queues, and what is told of a queue."""

import time

import pytest
from grpc import RpcError
from temporalio.api.enums.v1 import DescribeTaskQueueMode, RateLimitSource, TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue
from temporalio.api.workflowservice.v1 import UpdateTaskQueueConfigRequest

from harness.raw import Raw, Refusal, schedule_activity
from harness.server import Server
from harness.versioned import AUTO_UPGRADE, VersionedWorker
from harness.waiting import wait_for_sync

ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW


def limit(rate: float | None, reason: str = "") -> UpdateTaskQueueConfigRequest.RateLimitUpdate:
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate(reason=reason)
    if rate is not None:
        update.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    return update


def update(raw: Raw, queue: str, **fields):
    answer = raw.call(
        "UpdateTaskQueueConfig",
        task_queue=queue,
        task_queue_type=ACTIVITY,
        identity="operator",
        **fields,
    )
    return answer.config


def describe(raw: Raw, queue: str, task_type: int = ACTIVITY, **fields):
    task_queue = TaskQueue(name=queue)
    return raw.call("DescribeTaskQueue", task_queue=task_queue, task_queue_type=task_type, **fields)


def test_settings_are_kept_and_told(raw: Raw, queue: str):
    before = describe(raw, queue, report_config=True)
    assert not before.HasField("config")
    system = RateLimitSource.RATE_LIMIT_SOURCE_SYSTEM
    assert before.effective_rate_limit.rate_limit_source == system
    assert before.effective_rate_limit.requests_per_second > 0
    config = update(raw, queue, update_queue_rate_limit=limit(5, "why"))
    assert config.queue_rate_limit.rate_limit.requests_per_second == 5
    assert config.queue_rate_limit.metadata.reason == "why"
    assert config.queue_rate_limit.metadata.update_identity == "operator"
    assert config.queue_rate_limit.metadata.update_time.seconds > 0
    config = update(
        raw,
        queue,
        update_fairness_key_rate_limit_default=limit(2, "keys"),
        set_fairness_weight_overrides={"a": 2.5, "b": 0.5},
    )
    assert config.queue_rate_limit.rate_limit.requests_per_second == 5
    assert config.fairness_keys_rate_limit_default.rate_limit.requests_per_second == 2
    assert dict(config.fairness_weight_overrides) == {"a": 2.5, "b": 0.5}
    found = wait_for_sync(
        lambda: (
            (seen := describe(raw, queue, report_config=True))
            and seen.effective_rate_limit.requests_per_second == 5
            and seen
        ),
        "the limit is in force",
    )
    assert found.config == config
    api = RateLimitSource.RATE_LIMIT_SOURCE_API
    assert found.effective_rate_limit.rate_limit_source == api
    config = update(
        raw,
        queue,
        update_queue_rate_limit=limit(None, "off"),
        unset_fairness_weight_overrides=["a"],
    )
    assert not config.queue_rate_limit.HasField("rate_limit")
    assert config.queue_rate_limit.metadata.reason == "off"
    assert dict(config.fairness_weight_overrides) == {"b": 0.5}


LIMIT = "update_queue_rate_limit"
WEIGHTS = "set_fairness_weight_overrides"


@pytest.mark.parametrize(
    ("task_type", "fields", "text"),
    [
        (WORKFLOW, {LIMIT: limit(5)}, "Setting rate limit on workflow task queues is not allowed."),
        (
            WORKFLOW,
            {"update_fairness_key_rate_limit_default": limit(5)},
            "Setting fairness key rate limit on workflow task queues is not allowed.",
        ),
        (
            ACTIVITY,
            {LIMIT: limit(-5)},
            "RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative.",
        ),
        (ACTIVITY, {WEIGHTS: {"": 1.0}}, "fairness weight override key must not be empty"),
        (
            ACTIVITY,
            {WEIGHTS: {"x": -1.0}},
            'invalid fairness weight weight for key "x": must be greater than zero',
        ),
        (ACTIVITY, {WEIGHTS: {"x" * 65: 1.0}}, "fairness key length exceeds limit"),
        (
            ACTIVITY,
            {WEIGHTS: {"x": 1.0}, "unset_fairness_weight_overrides": ["x"]},
            'fairness weight override key "x" present in both set and unset lists',
        ),
    ],
)
def test_bad_settings_are_refused(raw: Raw, queue: str, task_type: int, fields: dict, text: str):
    refused = raw.refused(
        "UpdateTaskQueueConfig", task_queue=queue, task_queue_type=task_type, **fields
    )
    assert refused == Refusal("INVALID_ARGUMENT", text, None)


def test_a_limit_holds_activities_back_at_once(raw: Raw, queue: str):
    update(raw, queue, update_queue_rate_limit=limit(0.0, "stop"))
    wait_for_sync(
        lambda: describe(raw, queue).effective_rate_limit.requests_per_second == 0,
        "the limit is in force",
    )
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue, start_to_close_timeout=60))
    assert raw.poll_activity(queue, seconds=3.0).task_token == b""
    wait_for_sync(
        lambda: describe(raw, queue, report_stats=True).stats.approximate_backlog_count == 1,
        "the task waits",
    )
    update(raw, queue, update_queue_rate_limit=limit(None))
    before = time.monotonic()
    assert raw.poll_activity(queue).activity_id == "a"
    assert time.monotonic() - before < 5.0
    raw.terminate(run)


def test_a_queue_tells_what_waits_by_priority(raw: Raw, queue: str):
    runs = [raw.start(queue) for _ in range(3)]

    def waiting():
        found = describe(raw, queue, WORKFLOW, report_stats=True)
        return found if found.stats.approximate_backlog_count == 3 else None

    found = wait_for_sync(waiting, "three tasks wait")
    assert found.stats_by_priority_key[3].approximate_backlog_count == 3
    assert found.stats.tasks_add_rate > 0
    enhanced = describe(
        raw,
        queue,
        WORKFLOW,
        api_mode=DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
        report_stats=True,
        report_task_reachability=True,
    )
    info = enhanced.versions_info[""]
    assert info.types_info[WORKFLOW].stats.approximate_backlog_count == 3
    assert info.types_info[ACTIVITY].stats.approximate_backlog_count == 0
    assert info.task_reachability == 1
    for run in runs:
        raw.terminate(run)


@pytest.mark.xdist_group("restart")
def test_settings_and_deployments_survive_a_crash(tmp_path, queue: str):
    with Server(db_filename=tmp_path / "server.db") as server:
        raw = Raw(server.address)
        config = update(raw, queue, update_queue_rate_limit=limit(7, "kept"))
        one = VersionedWorker(raw, "shop", "1").register(queue)
        two = VersionedWorker(raw, "shop", "2").register(queue)
        one.make_current()
        two.ramp(100.0)
        run = raw.start(queue)
        before = raw.call("DescribeWorkerDeployment", deployment_name="shop")
        server.kill()
        server.start()
        raw.channel.close()
        raw = Raw(server.address)
        one, two = (VersionedWorker(raw, "shop", worker.build_id) for worker in (one, two))

        def same():
            try:
                return raw.call("DescribeWorkerDeployment", deployment_name="shop")
            except RpcError:
                return None

        after = wait_for_sync(same, "the deployment is there")
        routing = after.worker_deployment_info.routing_config
        assert routing == before.worker_deployment_info.routing_config
        assert describe(raw, queue, report_config=True).config == config
        task = two.poll(queue)
        assert task.workflow_execution == run
        two.complete(task, AUTO_UPGRADE)
        raw.channel.close()
