"""Schedules: what they start and when, what may overlap, and how they are changed and listed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import UpdateScheduleRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import assert_history, unique, worker
from harness.server import Server
from harness.waiting import wait_for

SCHEDULED_BY = SearchAttributeKey.for_keyword("TemporalScheduledById")
SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
NEVER = timedelta(days=365)


@workflow.defn
class Scheduled:
    @workflow.run
    async def run(self, what: str) -> str:
        return what


@workflow.defn
class Counts:
    """Adds one to the result of the run before; the third fails."""

    @workflow.run
    async def run(self) -> int:
        if workflow.has_last_completion_result():
            count = workflow.get_last_completion_result(int) + 1
        else:
            count = 1
        failure = workflow.get_last_failure()
        if failure is not None:
            return 100 + count
        if count == 3:
            raise ApplicationError("three is too many", non_retryable=True)
        return count


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.released)
        return "released"

    @workflow.signal
    def release(self) -> None:
        self.released = True


def plan(run, queue: str, workflow_id: str, *args, every=NEVER, **parts) -> Schedule:
    """A schedule that acts when it is triggered, unless an interval is given."""
    state = parts.pop("state", ScheduleState())
    policy = parts.pop("policy", SchedulePolicy())
    spec = parts.pop("spec", ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]))
    return Schedule(
        action=ScheduleActionStartWorkflow(
            run, args=list(args), id=workflow_id, task_queue=queue, **parts
        ),
        spec=spec,
        state=state,
        policy=policy,
    )


async def acted(handle: ScheduleHandle, times: int) -> ScheduleDescription:
    """Waits until a schedule has started so many workflows."""

    async def look() -> ScheduleDescription | None:
        described = await handle.describe()
        return described if described.info.num_actions >= times else None

    return await wait_for(look, f"{times} actions of the schedule")


def run_of(client: Client, described: ScheduleDescription, number: int = -1) -> WorkflowHandle:
    action = described.info.recent_actions[number].action
    return client.get_workflow_handle(
        action.workflow_id, first_execution_run_id=action.first_execution_run_id
    )


async def trigger(handle: ScheduleHandle, **options) -> None:
    """Triggers in a second of its own: the second is part of the workflow's id."""
    await asyncio.sleep(1.0 - datetime.now().microsecond / 1e6 + 0.01)
    await handle.trigger(**options)


async def test_a_schedule_starts_workflows(client: Client, queue: str, workflow_id: str):
    every = timedelta(seconds=1)
    schedule_id = unique("schedule")
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    planned = plan(Scheduled.run, queue, workflow_id, "as planned", every=every, policy=policy)
    handle = await client.create_schedule(schedule_id, planned)
    async with worker(client, queue, [Scheduled]):
        described = await acted(handle, 2)
        first = described.info.recent_actions[0]
        run = run_of(client, described, 0)
        assert await run.result() == "as planned"
        time = first.scheduled_at.astimezone(UTC)
        assert time.microsecond == 0
        assert first.started_at - first.scheduled_at < timedelta(seconds=5)
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert first.action.workflow_id == f"{workflow_id}-{text}"
        found = (await run.describe()).typed_search_attributes
        assert found[SCHEDULED_BY] == schedule_id
        assert found[SCHEDULED_FOR] == time
        await assert_history(run, "Started WorkflowTask Completed")
        events = [event async for event in run.fetch_history_events()]
        started = events[0].workflow_execution_started_event_attributes
        assert started.identity == f"temporal-scheduler-default-{schedule_id}"
        assert not started.completion_callbacks
    second = described.info.recent_actions[1]
    assert second.scheduled_at - first.scheduled_at == every
    future = described.info.next_action_times
    assert len(future) == 10
    assert future[1] - future[0] == every
    await handle.delete()


async def test_a_paused_schedule_runs_only_when_triggered(
    client: Client, queue: str, workflow_id: str
):
    state = ScheduleState(paused=True, note="of a test")
    planned = plan(
        Scheduled.run,
        queue,
        workflow_id,
        "go",
        state=state,
        every=timedelta(seconds=1),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
    )
    handle = await client.create_schedule(unique("schedule"), planned, memo={"kept": "yes"})
    described = await handle.describe()
    assert described.schedule.state.paused
    assert described.schedule.state.note == "of a test"
    assert await described.memo() == {"kept": "yes"}
    with pytest.raises(ScheduleAlreadyRunningError):
        await client.create_schedule(handle.id, planned)
    await trigger(handle)
    assert (await acted(handle, 1)).info.num_actions == 1
    await handle.unpause(note="go")
    await acted(handle, 2)
    described = await handle.describe()
    assert not described.schedule.state.paused
    assert described.schedule.state.note == "go"
    await handle.pause(note="stop")

    async def paused() -> bool:
        return (await handle.describe()).schedule.state.note == "stop"

    await wait_for(paused, "the pause")
    await handle.delete()
    with pytest.raises(RPCError) as caught:
        await handle.trigger()
    assert caught.value.status == RPCStatusCode.NOT_FOUND


async def test_a_description_shows_the_canonical_form(client: Client, queue: str, workflow_id: str):
    spec = ScheduleSpec(
        calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(3)], comment="at night")],
        intervals=[ScheduleIntervalSpec(every=timedelta(hours=2), offset=timedelta(minutes=5))],
        cron_expressions=["30 1 * * mon-fri # early"],
        skip=[ScheduleCalendarSpec(month=[ScheduleRange(12)])],
        time_zone_name="Europe/Berlin",
        jitter=timedelta(seconds=9),
    )
    handle = await client.create_schedule(
        unique("schedule"), plan(Scheduled.run, queue, workflow_id, "x", spec=spec)
    )
    described = await handle.describe()
    found = described.schedule.spec
    assert found.cron_expressions == []
    assert [calendar.comment for calendar in found.calendars] == ["at night", "early"]
    weekdays = found.calendars[1].day_of_week
    assert [(given.start, given.end, given.step) for given in weekdays] == [(1, 5, 1)]
    assert found.intervals == spec.intervals
    assert found.time_zone_name == "Europe/Berlin"
    assert found.jitter == timedelta(seconds=9)
    assert described.schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
    assert described.schedule.policy.catchup_window == timedelta(days=365)
    times = described.info.next_action_times
    assert len(times) == 10
    assert all(time.month != 12 for time in times)
    assert times == sorted(times)
    await handle.delete()


async def test_a_run_gets_what_the_one_before_left(client: Client, queue: str, workflow_id: str):
    handle = await client.create_schedule(unique("schedule"), plan(Counts.run, queue, workflow_id))
    async with worker(client, queue, [Counts]):
        statuses = []
        results = []
        for number in range(1, 5):
            await trigger(handle)
            run = run_of(client, await acted(handle, number))
            try:
                results.append(await run.result())
            except Exception as error:
                results.append(str(error.__cause__))
            statuses.append((await run.describe()).status)
    assert results == [1, 2, "three is too many", 103]
    assert statuses[2] == WorkflowExecutionStatus.FAILED
    await handle.delete()


async def test_a_failure_pauses_a_schedule_that_wants_it(
    client: Client, queue: str, workflow_id: str
):
    policy = SchedulePolicy(pause_on_failure=True, overlap=ScheduleOverlapPolicy.BUFFER_ALL)
    handle = await client.create_schedule(
        unique("schedule"), plan(Counts.run, queue, workflow_id, policy=policy)
    )
    async with worker(client, queue, [Counts]):
        for number in range(1, 4):
            await trigger(handle)
            await acted(handle, number)
        # The reference looks at its runs when it has something to start.
        await trigger(handle)

        async def paused() -> str | None:
            state = (await handle.describe()).schedule.state
            return state.note if state.paused else None

        note = await wait_for(paused, "the pause")
        failed = run_of(client, await handle.describe(), 2)
    assert note == f"paused due to workflow failure: {failed.id}: three is too many"
    await handle.delete()


async def test_a_start_is_skipped_while_another_runs(client: Client, queue: str, workflow_id: str):
    handle = await client.create_schedule(unique("schedule"), plan(Waits.run, queue, workflow_id))
    await trigger(handle)
    described = await acted(handle, 1)
    assert len(described.info.running_actions) == 1
    await trigger(handle)

    async def skipped() -> bool:
        return (await handle.describe()).info.num_actions_skipped_overlap == 1

    await wait_for(skipped, "a skipped start")
    assert (await handle.describe()).info.num_actions == 1
    await handle.delete()
    await run_of(client, described).terminate()


async def test_a_run_whose_end_was_acknowledged_is_in_nobodys_way(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.create_schedule(unique("schedule"), plan(Waits.run, queue, workflow_id))
    for number in range(1, 11):
        await handle.trigger()
        run = run_of(client, await acted(handle, number))
        await run.terminate()
    assert (await handle.describe()).info.num_actions_skipped_overlap == 0
    await handle.delete()


async def test_a_buffered_start_follows_at_once(client: Client, queue: str, workflow_id: str):
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE)
    handle = await client.create_schedule(
        unique("schedule"), plan(Waits.run, queue, workflow_id, policy=policy)
    )
    async with worker(client, queue, [Waits]):
        await trigger(handle)
        await acted(handle, 1)
        await trigger(handle)

        async def buffered() -> bool:
            return (await handle.describe()).raw_description.info.buffer_size == 1

        await wait_for(buffered, "a buffered start")
        await trigger(handle)

        async def skipped() -> bool:
            return (await handle.describe()).info.num_actions_skipped_overlap == 1

        await wait_for(skipped, "a skipped start")
        described = await handle.describe()
        assert described.info.num_actions == 1
        assert described.raw_description.info.buffer_size == 1
        first = run_of(client, described, 0)
        await first.signal(Waits.release)
        assert await first.result() == "released"
        described = await acted(handle, 2)
        second = run_of(client, described)
        assert (await second.describe()).status == WorkflowExecutionStatus.RUNNING
        await second.signal(Waits.release)
        assert await second.result() == "released"
    await handle.delete()


@pytest.mark.parametrize(
    ("overlap", "status"),
    [
        (ScheduleOverlapPolicy.CANCEL_OTHER, WorkflowExecutionStatus.CANCELED),
        (ScheduleOverlapPolicy.TERMINATE_OTHER, WorkflowExecutionStatus.TERMINATED),
    ],
)
async def test_a_start_may_stop_the_run_before(
    client: Client, queue: str, workflow_id: str, overlap, status
):
    handle = await client.create_schedule(unique("schedule"), plan(Waits.run, queue, workflow_id))
    async with worker(client, queue, [Waits]):
        await trigger(handle)
        first = run_of(client, await acted(handle, 1))
        await trigger(handle, overlap=overlap)
        described = await acted(handle, 2)
        assert (await first.describe()).status == status
        second = run_of(client, described)
        assert (await second.describe()).status == WorkflowExecutionStatus.RUNNING
        await second.terminate()
    await handle.delete()


async def test_all_may_run_at_once(client: Client, queue: str, workflow_id: str):
    handle = await client.create_schedule(unique("schedule"), plan(Waits.run, queue, workflow_id))
    for number in range(1, 4):
        await trigger(handle, overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        described = await acted(handle, number)
    assert described.info.running_actions == []
    for number in range(3):
        run = run_of(client, described, number)
        assert (await run.describe()).status == WorkflowExecutionStatus.RUNNING
        await run.terminate()
    await handle.delete()


async def test_a_backfill_acts_for_each_time_of_its_range(
    client: Client, queue: str, workflow_id: str
):
    planned = plan(
        Scheduled.run,
        queue,
        workflow_id,
        "late",
        every=timedelta(minutes=1),
        state=ScheduleState(paused=True),
    )
    handle = await client.create_schedule(unique("schedule"), planned)
    start = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
    await handle.backfill(
        ScheduleBackfill(
            start_at=start,
            end_at=start + timedelta(minutes=12),
            overlap=ScheduleOverlapPolicy.ALLOW_ALL,
        )
    )
    described = await acted(handle, 13)
    assert described.info.num_actions == 13
    times = [action.scheduled_at for action in described.info.recent_actions]
    assert times == [start + timedelta(minutes=minute) for minute in range(3, 13)]
    first = client.get_workflow_handle(f"{workflow_id}-2024-05-01T12:00:00Z")
    async with worker(client, queue, [Scheduled]):
        assert await first.result() == "late"
    await handle.delete()


async def test_limited_actions_run_out(client: Client, queue: str, workflow_id: str):
    planned = plan(
        Scheduled.run,
        queue,
        workflow_id,
        "x",
        every=timedelta(seconds=1),
        state=ScheduleState(limited_actions=True, remaining_actions=2),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
    )
    handle = await client.create_schedule(unique("schedule"), planned)
    described = await acted(handle, 2)
    assert described.schedule.state.remaining_actions == 0
    assert described.info.next_action_times == []
    await asyncio.sleep(2)
    described = await handle.describe()
    assert described.info.num_actions == 2
    assert described.schedule.state.limited_actions
    await handle.delete()


async def test_an_update_replaces_what_a_schedule_does(
    client: Client, queue: str, workflow_id: str
):
    handle = await client.create_schedule(
        unique("schedule"), plan(Scheduled.run, queue, workflow_id, "before")
    )

    def change(given: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = given.description.schedule
        assert isinstance(schedule.action, ScheduleActionStartWorkflow)
        schedule.action.args = ["after"]
        schedule.spec = ScheduleSpec(cron_expressions=["0 12 * * *"])
        schedule.policy.overlap = ScheduleOverlapPolicy.BUFFER_ALL
        schedule.state.note = "updated"
        return ScheduleUpdate(schedule)

    await handle.update(change)

    async def updated() -> ScheduleDescription | None:
        described = await handle.describe()
        return described if described.schedule.state.note == "updated" else None

    described = await wait_for(updated, "the update")
    assert described.schedule.policy.overlap == ScheduleOverlapPolicy.BUFFER_ALL
    assert described.info.last_updated_at is not None
    assert all(time.hour == 12 for time in described.info.next_action_times)
    await trigger(handle)
    run = run_of(client, await acted(handle, 1))
    async with worker(client, queue, [Scheduled]):
        assert await run.result() == "after"
    await handle.delete()


async def test_an_update_with_a_stale_token_changes_nothing(
    client: Client, queue: str, workflow_id: str
):
    """The reference drops it without a word; this server says so."""
    handle = await client.create_schedule(
        unique("schedule"), plan(Scheduled.run, queue, workflow_id, "x")
    )

    described = await handle.describe()
    await handle.pause(note="meanwhile")

    async def paused() -> bool:
        return (await handle.describe()).schedule.state.paused

    await wait_for(paused, "the pause")
    request = UpdateScheduleRequest(
        namespace="default",
        schedule_id=handle.id,
        schedule=described.raw_description.schedule,
        conflict_token=described.raw_description.conflict_token,
        request_id=unique("request"),
    )
    try:
        await client.workflow_service.update_schedule(request)
    except RPCError as error:
        assert error.status == RPCStatusCode.FAILED_PRECONDITION
        assert error.message == "mismatched conflict token"
    await asyncio.sleep(0.5)
    assert (await handle.describe()).schedule.state.note == "meanwhile"
    await handle.delete()


async def test_schedules_are_listed_with_what_they_do(client: Client, queue: str, workflow_id: str):
    made = []
    prefix = unique("listed")
    for number in range(3):
        planned = plan(
            Scheduled.run,
            queue,
            workflow_id,
            "x",
            every=timedelta(hours=1),
            state=ScheduleState(paused=number == 0, note=f"number {number}"),
        )
        made.append(
            await client.create_schedule(f"{prefix}-{number}", planned, memo={"number": number})
        )

    async def listed(query: str) -> dict:
        found = [entry async for entry in await client.list_schedules(query, page_size=2)]
        return {entry.id: entry for entry in found}

    of_test = f"ScheduleId STARTS_WITH '{prefix}'"

    async def all_listed() -> dict | None:
        found = await listed(of_test)
        return found if len(found) == 3 else None

    found = await wait_for(all_listed, "the schedules in the list")
    first = found[f"{prefix}-0"]
    assert await first.memo() == {"number": 0}
    assert first.schedule is not None and first.info is not None
    assert first.schedule.state.note == "number 0"
    assert first.schedule.state.paused
    assert first.schedule.action.workflow == "Scheduled"
    assert len(first.info.next_action_times) == 5

    async def one_paused() -> bool:
        paused = await listed(f"{of_test} AND TemporalSchedulePaused = true")
        return list(paused) == [f"{prefix}-0"]

    await wait_for(one_paused, "one paused schedule in the list")
    only = await listed(f"ScheduleId = '{prefix}-2'")
    assert list(only) == [f"{prefix}-2"]
    # Lists of workflows do not have them.
    query = f"WorkflowId STARTS_WITH 'temporal-sys-scheduler:{prefix}'"
    assert [run async for run in client.list_workflows(query)] == []
    for handle in made:
        await handle.delete()

    async def none_listed() -> bool:
        return await listed(of_test) == {}

    await wait_for(none_listed, "the end of the deleted schedules")


async def test_a_schedule_goes_on_after_a_kill(tmp_path: Path, queue: str, workflow_id: str):
    with Server(db_filename=tmp_path / "server.db") as durable:
        client = await Client.connect(durable.address)
        policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL)
        planned = plan(Waits.run, queue, workflow_id, policy=policy)
        handle = await client.create_schedule(unique("schedule"), planned, memo={"kept": 1})
        await trigger(handle)
        first = run_of(client, await acted(handle, 1))
        await trigger(handle)

        async def buffered() -> bool:
            return (await handle.describe()).raw_description.info.buffer_size == 1

        await wait_for(buffered, "the buffered start")
        durable.restart_after_kill()
        client = await Client.connect(durable.address)
        handle = client.get_schedule_handle(handle.id)
        described = await handle.describe()
        assert await described.memo() == {"kept": 1}
        assert described.info.num_actions == 1
        first = client.get_workflow_handle(first.id)
        async with worker(client, queue, [Waits]):
            await first.signal(Waits.release)
            assert await first.result() == "released"
            second = run_of(client, await acted(handle, 2))
            await second.signal(Waits.release)
            assert await second.result() == "released"
