"""What only the history carries: patches, local activities, memo and search-attribute upserts."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.exceptions import ApplicationError

from harness.history import attributes, only
from harness.sdk import assert_history, wait_until_idle, worker
from harness.waiting import wait_for

KEYWORD = SearchAttributeKey.for_keyword("CustomKeywordField")
INT = SearchAttributeKey.for_int("CustomIntField")


@activity.defn
async def local_add(a: int, b: int) -> int:
    if activity.info().attempt == 1:
        raise ApplicationError("first attempt of a local activity")
    return a + b


@workflow.defn
class IsPatched:
    @workflow.run
    async def run(self) -> str:
        new = workflow.patched("a-change")
        await workflow.sleep(timedelta(milliseconds=20))
        return "new" if new and workflow.patched("a-change") else "old"


@workflow.defn
class CallsLocally:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_local_activity(
            local_add,
            args=[1, 2],
            start_to_close_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )


@workflow.defn
class Upserts:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        workflow.upsert_memo({"added": 2, "removed": None})
        workflow.upsert_search_attributes([KEYWORD.value_set("upserted"), INT.value_unset()])
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn
class UsesSeededRandomness:
    @workflow.run
    async def run(self) -> list[str]:
        first = str(workflow.uuid4())
        await workflow.sleep(timedelta(milliseconds=20))
        return [first, str(workflow.random().randint(0, 10**9))]


async def test_a_patch_is_a_marker_and_a_search_attribute(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [IsPatched], max_cached_workflows=0):
        handle = await client.start_workflow(IsPatched.run, id=workflow_id, task_queue=queue)
        assert await handle.result() == "new"
    events = await assert_history(
        handle,
        "Started WorkflowTask MarkerRecorded UpsertWorkflowSearchAttributes TimerStarted "
        "TimerFired WorkflowTask Completed",
        [IsPatched],
    )
    marker = attributes(only(events, "MarkerRecorded"))
    assert marker.marker_name == "core_patch"
    assert marker.workflow_task_completed_event_id == 4
    upsert = attributes(only(events, "UpsertWorkflowSearchAttributes"))
    assert "TemporalChangeVersion" in upsert.search_attributes.indexed_fields


async def test_a_local_activity_is_one_marker(client: Client, queue: str, workflow_id: str):
    async with worker(client, queue, [CallsLocally], [local_add]):
        handle = await client.start_workflow(CallsLocally.run, id=workflow_id, task_queue=queue)
        assert await handle.result() == 3
    events = await assert_history(
        handle, "Started WorkflowTask MarkerRecorded Completed", [CallsLocally]
    )
    assert attributes(only(events, "MarkerRecorded")).marker_name == "core_local_activity"


async def test_upserts_show_in_the_history_and_the_description(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [Upserts]):
        handle = await client.start_workflow(
            Upserts.run,
            id=workflow_id,
            task_queue=queue,
            memo={"kept": 1, "removed": 1},
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(KEYWORD, "started"), SearchAttributePair(INT, 5)]
            ),
        )
        await wait_until_idle(handle)
        description = await handle.describe()
        assert await description.memo() == {"kept": 1, "added": 2}
        assert description.typed_search_attributes[KEYWORD] == "upserted"
        assert INT not in description.typed_search_attributes

        async def listed() -> list[WorkflowExecutionDescription]:
            query = f"CustomKeywordField = 'upserted' AND WorkflowId = '{workflow_id}'"
            return [run async for run in client.list_workflows(query)]

        run = (await wait_for(listed, "the upserted attribute in the list"))[0]
        assert await run.memo() == {"kept": 1, "added": 2}
        await handle.signal(Upserts.finish)
        await handle.result()
    await assert_history(
        handle,
        "Started WorkflowTask WorkflowPropertiesModified UpsertWorkflowSearchAttributes "
        "Signaled WorkflowTask Completed",
        [Upserts],
    )


async def test_randomness_of_a_workflow_repeats_when_it_replays(
    client: Client, queue: str, workflow_id: str
):
    async with worker(client, queue, [UsesSeededRandomness], max_cached_workflows=0):
        handle = await client.start_workflow(
            UsesSeededRandomness.run, id=workflow_id, task_queue=queue
        )
        first, second = await handle.result()
        assert first and second
    await assert_history(
        handle,
        "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed",
        [UsesSeededRandomness],
    )
