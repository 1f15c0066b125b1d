"""Queries on the wire: dispatched directly, attached to a workflow task, and not ready."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import QueryResultType, ResourceExhaustedCause
from temporalio.api.errordetails.v1 import QueryFailedFailure, ResourceExhaustedFailure
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from harness.history import event_types, expected
from harness.raw import (
    Raw,
    complete_workflow,
    detail_of,
    messages,
    payloads,
    refusal_of,
    start_fields,
)
from harness.sdk import unique
from harness.waiting import wait_for_sync

ANSWERED = QueryResultType.QUERY_RESULT_TYPE_ANSWERED
FAILED = QueryResultType.QUERY_RESULT_TYPE_FAILED


def ask(raw: Raw, run: WorkflowExecution, seconds: float = 10.0):
    return raw.call(
        "QueryWorkflow",
        execution=run,
        query=WorkflowQuery(query_type="state", query_args=payloads(b"1")),
        timeout=seconds,
    )


@pytest.fixture
def pool():
    with ThreadPoolExecutor() as threads:
        yield threads


def test_a_query_of_an_idle_run_is_a_task_of_its_own(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    asking = pool.submit(ask, raw, run)
    task = raw.poll(queue)
    assert task.query.query_type == "state"
    assert task.query.query_args == payloads(b"1")
    assert task.workflow_execution == run
    assert not task.queries
    assert event_types(task.history.events) == expected("Started WorkflowTask")
    raw.call(
        "RespondQueryTaskCompleted",
        task_token=task.task_token,
        completed_type=ANSWERED,
        query_result=payloads(b"42"),
    )
    assert asking.result().query_result == payloads(b"42")
    raw.assert_history(run, "Started WorkflowTask")
    raw.terminate(run)


def test_a_closed_run_is_queried_the_same_way(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue), complete_workflow())
    asking = pool.submit(ask, raw, run)
    task = raw.poll(queue)
    assert task.query.query_type == "state"
    raw.call(
        "RespondQueryTaskCompleted",
        task_token=task.task_token,
        completed_type=ANSWERED,
        query_result=payloads(b"1"),
    )
    assert asking.result().query_result == payloads(b"1")


def test_a_query_that_fails_is_an_invalid_argument_with_the_failure(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    asking = pool.submit(ask, raw, run)
    task = raw.poll(queue)
    raw.call(
        "RespondQueryTaskCompleted",
        task_token=task.task_token,
        completed_type=FAILED,
        error_message="no such query",
        failure={"message": "the whole failure"},
    )
    with pytest.raises(grpc.RpcError) as caught:
        asking.result()
    assert refusal_of(caught.value).code == "INVALID_ARGUMENT"
    assert refusal_of(caught.value).text == "no such query"
    detail = detail_of(caught.value, QueryFailedFailure)
    assert detail.failure.message == "the whole failure"
    raw.terminate(run)


def test_an_answer_that_is_too_large_fails_the_query(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    asking = pool.submit(ask, raw, run)
    raw.call(
        "RespondQueryTaskCompleted",
        task_token=raw.poll(queue).task_token,
        completed_type=ANSWERED,
        query_result=payloads(b"x" * 2_200_000),
    )
    with pytest.raises(grpc.RpcError) as caught:
        asking.result()
    assert refusal_of(caught.value).code == "INVALID_ARGUMENT"
    assert refusal_of(caught.value).text == "Blob data size exceeds limit."
    raw.terminate(run)


def test_a_query_while_a_task_is_scheduled_comes_with_that_task(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.signal(run)
    asking = pool.submit(ask, raw, run)
    # The query may reach the server after the poll; then it is attached to the following task.
    task = raw.poll(queue)
    if not task.queries:
        wait_for_sync(lambda: not buffer_is_free(raw, run), "the buffered query")
        task = raw.complete(
            task, return_new_workflow_task=True, force_create_new_workflow_task=True
        ).workflow_task
    assert [query.query_type for query in task.queries.values()] == ["state"]
    (query_id,) = task.queries
    answer = WorkflowQueryResult(result_type=ANSWERED, answer=payloads(b"7"))
    raw.complete(task, query_results={query_id: answer})
    assert asking.result().query_result == payloads(b"7")
    raw.terminate(run)


def buffer_is_free(raw: Raw, run: WorkflowExecution) -> bool:
    """Whether a second query would be buffered too."""
    try:
        ask(raw, run, seconds=0.3)
    except grpc.RpcError as error:
        return error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED
    return True


def test_one_query_at_a_time_waits_for_a_workflow_task(raw: Raw, queue: str, pool):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.signal(run)
    raw.poll(queue)
    first = pool.submit(ask, raw, run, 4.0)
    second = pool.submit(ask, raw, run, 4.0)
    errors = []
    for asking in (first, second):
        with pytest.raises(grpc.RpcError) as caught:
            asking.result()
        errors.append(caught.value)
    busy = [e for e in errors if e.code() == grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert len(busy) == 1
    detail = detail_of(busy[0], ResourceExhaustedFailure)
    assert detail.cause == ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
    raw.terminate(run)


def test_a_query_before_the_first_workflow_task_can_run_is_not_ready(raw: Raw, queue: str):
    run = raw.start(queue, workflow_start_delay=Duration(seconds=600))
    refused = raw.refused(
        "QueryWorkflow", execution=run, query=WorkflowQuery(query_type="state"), timeout=3
    )
    assert refused.code == "FAILED_PRECONDITION"
    assert refused.text == "Workflow task is not scheduled yet."
    assert refused.detail == "WorkflowNotReadyFailure"
    raw.terminate(run)


def test_a_query_of_a_run_whose_tasks_keep_failing_is_refused(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    raw.signal(run)
    for _ in range(3):
        task = raw.poll(queue)
        raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, cause=14)
    refused = raw.refused("QueryWorkflow", execution=run, query=WorkflowQuery(query_type="state"))
    assert refused.code == "FAILED_PRECONDITION"
    assert refused.text == ("Unable to query workflow due to Workflow Task in failed state.")
    raw.terminate(run)


@pytest.mark.parametrize(
    ("ending", "condition", "status"), [("open", 2, None), ("closed", 2, 5), ("closed", 3, 5)]
)
def test_a_reject_condition_answers_without_a_worker(
    raw: Raw, queue: str, ending: str, condition: int, status: int | None
):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    if ending == "closed":
        raw.terminate(run)
        answer = raw.call(
            "QueryWorkflow",
            execution=run,
            query=WorkflowQuery(query_type="state"),
            query_reject_condition=condition,
        )
        assert answer.query_rejected.status == status
    else:
        with pytest.raises(grpc.RpcError) as caught:
            raw.call(
                "QueryWorkflow",
                execution=run,
                query=WorkflowQuery(query_type="state"),
                query_reject_condition=condition,
                timeout=3,
            )
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        raw.terminate(run)


def test_a_query_whose_caller_left_does_no_harm(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(raw.poll(queue))
    request = messages.QueryWorkflowRequest(
        namespace="default", execution=run, query=WorkflowQuery(query_type="state")
    )
    gone = threading.Event()
    asking = raw.workflow.QueryWorkflow.future(request, timeout=10)
    asking.add_done_callback(lambda _: gone.set())
    task = raw.poll(queue)
    asking.cancel()
    assert gone.wait(5)
    try:
        raw.call(
            "RespondQueryTaskCompleted",
            task_token=task.task_token,
            completed_type=ANSWERED,
            query_result=payloads(b"1"),
        )
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND
    raw.signal(run)
    raw.complete(raw.poll(queue), complete_workflow())
    raw.assert_history(run, "Started WorkflowTask Signaled WorkflowTask Completed")


def never_polled(raw: Raw, queue: str) -> WorkflowExecution:
    """A run whose first workflow task came with its start, so that nobody ever polled its queue."""
    workflow_id = unique("eager")
    answer = raw.call(
        "StartWorkflowExecution", **start_fields(queue, workflow_id, request_eager_execution=True)
    )
    raw.complete(answer.eager_workflow_task)
    return WorkflowExecution(workflow_id=workflow_id, run_id=answer.run_id)


def test_without_a_recent_poller_a_query_fails_a_second_before_its_deadline(raw: Raw, queue: str):
    run = never_polled(raw, queue)
    before = time.monotonic()
    with pytest.raises(grpc.RpcError) as caught:
        ask(raw, run, seconds=3.0)
    assert 1.5 <= time.monotonic() - before < 3.0
    refused = refusal_of(caught.value)
    assert refused.code == "FAILED_PRECONDITION"
    assert refused.text == "no poller seen for task queue recently, worker may be down"
    raw.terminate(run)


def test_a_query_waits_for_a_first_poller(raw: Raw, queue: str, pool):
    run = never_polled(raw, queue)
    asking = pool.submit(ask, raw, run)
    with pytest.raises(FutureTimeout):
        asking.result(timeout=0.5)
    task = raw.poll(queue)
    assert task.query.query_type == "state"
    raw.call(
        "RespondQueryTaskCompleted",
        task_token=task.task_token,
        completed_type=ANSWERED,
        query_result=payloads(b"1"),
    )
    assert asking.result().query_result == payloads(b"1")
    raw.terminate(run)
