"""Describing, listing and counting runs, and reading histories in pages."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import assert_history, unique, wait_for_event, wait_until_idle, worker
from harness.waiting import wait_for

KEYWORD = SearchAttributeKey.for_keyword("CustomKeywordField")
GATE: dict[str, asyncio.Event] = {}


@activity.defn
async def fail_once_then_wait(key: str) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("first attempt", type="First")
    activity.heartbeat("waiting", 1)
    await GATE[key].wait()
    return "done"


@workflow.defn
class HasAPendingActivity:
    @workflow.run
    async def run(self, key: str) -> str:
        return await workflow.execute_activity(
            fail_once_then_wait,
            key,
            activity_id="pending",
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=20), maximum_attempts=5
            ),
        )


@workflow.defn
class Ends:
    @workflow.run
    async def run(self, how: str) -> str:
        if how == "open":
            await workflow.wait_condition(lambda: False)
        if how == "failed":
            raise ApplicationError("as told")
        return how


async def test_a_pending_activity_is_described(client: Client, queue: str, workflow_id: str):
    GATE[workflow_id] = asyncio.Event()
    async with worker(client, queue, [HasAPendingActivity], [fail_once_then_wait]):
        handle = await client.start_workflow(
            HasAPendingActivity.run, workflow_id, id=workflow_id, task_queue=queue
        )

        async def pending():
            for found in (await handle.describe()).raw_description.pending_activities:
                if found.attempt == 2 and found.heartbeat_details.payloads:
                    return found
            return None

        found = await wait_for(pending, "the second attempt's heartbeat")
        assert found.activity_id == "pending"
        assert found.activity_type.name == "fail_once_then_wait"
        assert found.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        assert [p.data for p in found.heartbeat_details.payloads] == [b'"waiting"', b"1"]
        assert found.last_failure.message == "first attempt"
        assert found.maximum_attempts == 5
        assert found.last_worker_identity == client.identity
        GATE[workflow_id].set()
        assert await handle.result() == "done"
    assert not (await handle.describe()).raw_description.pending_activities
    await assert_history(
        handle, "Started WorkflowTask Activity WorkflowTask Completed", [HasAPendingActivity]
    )


async def test_an_open_and_a_closed_run_are_described(client: Client, queue: str, workflow_id: str):
    handle = await client.start_workflow(
        Ends.run, "completed", id=workflow_id, task_queue=queue, memo={"a": 1}
    )
    description = await handle.describe()
    assert description.id == workflow_id
    assert description.run_id == handle.first_execution_run_id
    assert description.status == WorkflowExecutionStatus.RUNNING
    assert description.workflow_type == "Ends"
    assert description.task_queue == queue
    assert description.history_length == 2
    assert description.close_time is None
    assert description.parent_id is None
    raw = description.raw_description
    assert raw.execution_config.task_queue.name == queue
    assert raw.execution_config.default_workflow_task_timeout.seconds == 10
    assert (
        raw.pending_workflow_task.state
        == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    )
    assert raw.pending_workflow_task.attempt == 1
    async with worker(client, queue, [Ends]):
        await handle.result()
    description = await handle.describe()
    assert description.status == WorkflowExecutionStatus.COMPLETED
    assert description.history_length == 5
    assert description.close_time >= description.start_time
    assert await description.memo() == {"a": 1}
    assert not description.raw_description.HasField("pending_workflow_task")


async def test_describing_what_is_not_there_is_not_found(client: Client, workflow_id: str):
    with pytest.raises(RPCError) as caught:
        await client.get_workflow_handle(workflow_id).describe()
    assert caught.value.status == RPCStatusCode.NOT_FOUND
    unknown_run = client.get_workflow_handle(
        workflow_id, run_id="01a20103-53d0-7488-966c-dc971980ebe3"
    )
    with pytest.raises(RPCError) as caught:
        await unknown_run.describe()
    assert caught.value.status == RPCStatusCode.NOT_FOUND


async def ids(client: Client, query: str) -> list[str]:
    return sorted([run.id async for run in client.list_workflows(query)])


@pytest.fixture(scope="module")
async def some_runs(client: Client) -> str:
    """Two completed, one failed, one terminated and two open runs that share a keyword."""
    keyword, queue = unique("keyword"), unique("queue")
    attributes = TypedSearchAttributes([SearchAttributePair(KEYWORD, keyword)])
    endings = ["completed", "completed", "failed", "open", "open", "open"]
    async with worker(client, queue, [Ends]):
        handles = [
            await client.start_workflow(
                Ends.run,
                how,
                id=f"{keyword}-{number}",
                task_queue=queue,
                search_attributes=attributes,
            )
            for number, how in enumerate(endings)
        ]
        for handle in handles:
            await wait_for_event(handle, "WorkflowTaskCompleted")
    await handles[3].terminate()

    async def all_listed() -> bool:
        found = [
            run.status async for run in client.list_workflows(f"CustomKeywordField = '{keyword}'")
        ]
        closed = [status for status in found if status != WorkflowExecutionStatus.RUNNING]
        return len(found) == 6 and len(closed) == 4

    await wait_for(all_listed, "all runs in the list")
    return keyword


@pytest.mark.parametrize(
    ("filter_", "numbers"),
    [
        ("ExecutionStatus = 'Running'", [4, 5]),
        ("ExecutionStatus = 'Completed'", [0, 1]),
        ("ExecutionStatus = 'Failed'", [2]),
        ("ExecutionStatus = 'Terminated'", [3]),
        ("ExecutionStatus != 'Running'", [0, 1, 2, 3]),
        ("ExecutionStatus IN ('Failed', 'Terminated')", [2, 3]),
        ("WorkflowType = 'Ends'", [0, 1, 2, 3, 4, 5]),
        ("WorkflowType = 'Other'", []),
        ("WorkflowId = '{keyword}-4'", [4]),
        ("WorkflowId STARTS_WITH '{keyword}'", [0, 1, 2, 3, 4, 5]),
        ("CloseTime IS NULL", [4, 5]),
        ("CloseTime IS NOT NULL AND WorkflowType = 'Ends'", [0, 1, 2, 3]),
        ("(ExecutionStatus = 'Failed' OR ExecutionStatus = 'Running')", [2, 4, 5]),
        ("StartTime > '2020-01-01T00:00:00Z'", [0, 1, 2, 3, 4, 5]),
        ("StartTime < '2020-01-01T00:00:00Z'", []),
    ],
)
async def test_a_list_filter_gives_and_counts_the_runs_it_names(
    client: Client, some_runs: str, filter_: str, numbers: list[int]
):
    query = f"CustomKeywordField = '{some_runs}' AND {filter_.format(keyword=some_runs)}"
    assert await ids(client, query) == [f"{some_runs}-{number}" for number in numbers]
    assert (await client.count_workflows(query)).count == len(numbers)


async def test_counts_grouped_by_status(client: Client, some_runs: str):
    query = f"CustomKeywordField = '{some_runs}' GROUP BY ExecutionStatus"
    counted = await client.count_workflows(query)
    assert counted.count == 6
    groups = {group.group_values[0]: group.count for group in counted.groups}
    assert groups == {"Completed": 2, "Failed": 1, "Terminated": 1, "Running": 2}


async def test_a_list_comes_in_pages(client: Client, some_runs: str):
    query = f"CustomKeywordField = '{some_runs}'"
    listed = client.list_workflows(query, page_size=2)
    pages = []
    while listed.current_page is None or listed.next_page_token:
        await listed.fetch_next_page()
        pages.append([run.id for run in listed.current_page])
    found = [run for page in pages for run in page]
    assert sorted(found) == [f"{some_runs}-{number}" for number in range(6)]
    assert all(len(page) <= 2 for page in pages)
    assert len([run async for run in client.list_workflows(query, limit=3)]) == 3


@pytest.mark.parametrize(
    "query", ["no such syntax", "NoSuchField = 1", "WorkflowType LIKE 'E%'", "WorkflowType = Ends"]
)
async def test_a_wrong_list_filter_is_an_invalid_argument(client: Client, query: str):
    with pytest.raises(RPCError) as caught:
        await ids(client, query)
    assert caught.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_listed_run_shows_what_its_description_shows(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(
        Ends.run, "open", id=workflow_id, task_queue=queue, memo={"a": 1}
    )

    async def listed():
        return [run async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]

    run = (await wait_for(listed, "the run in the list"))[0]
    description = await handle.describe()
    assert (run.id, run.run_id, run.workflow_type, run.task_queue, run.status) == (
        description.id,
        description.run_id,
        description.workflow_type,
        description.task_queue,
        description.status,
    )
    assert run.start_time == description.start_time
    assert await run.memo() == {"a": 1}
    await handle.terminate()


async def test_a_history_comes_in_pages_of_whole_batches(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Ends]):
        handle = await client.start_workflow(
            Ends.run, "completed", id=workflow_id, task_queue=queue
        )
        await handle.result()
    whole = [event.event_id async for event in handle.fetch_history_events()]
    assert whole == [1, 2, 3, 4, 5]
    paged = handle.fetch_history_events(page_size=1)
    pages = []
    while paged.current_page is None or paged.next_page_token:
        await paged.fetch_next_page()
        pages.append([event.event_id for event in paged.current_page])
    assert [page for page in pages if page] == [[1, 2], [3], [4, 5]]


async def test_following_a_history_gives_events_as_they_happen(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.start_workflow(Ends.run, "completed", id=workflow_id, task_queue=queue)
    seen: list[int] = []

    async def follow() -> None:
        async for event in handle.fetch_history_events(wait_new_event=True):
            seen.append(event.event_id)

    following = asyncio.create_task(follow())
    await wait_for(lambda: seen == [1, 2], "the first two events")
    async with worker(client, queue, [Ends]):
        await following
    assert seen == [1, 2, 3, 4, 5]


async def test_a_run_id_names_one_run_of_an_id(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [Ends]):
        first = await client.start_workflow(Ends.run, "completed", id=workflow_id, task_queue=queue)
        await first.result()
        second = await client.start_workflow(Ends.run, "open", id=workflow_id, task_queue=queue)
        await wait_until_idle(second)
    current = await client.get_workflow_handle(workflow_id).describe()
    assert current.run_id == second.first_execution_run_id
    older = client.get_workflow_handle(workflow_id, run_id=first.first_execution_run_id)
    assert (await older.describe()).status == WorkflowExecutionStatus.COMPLETED
    assert await older.result() == "completed"
    await second.terminate()
