"""Schedules: made, triggered, paused, listed and deleted."""

from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from harness.sdk import unique, worker
from harness.waiting import wait_for

pytestmark = pytest.mark.not_built_yet


@workflow.defn
class Scheduled:
    @workflow.run
    async def run(self, what: str) -> str:
        return what


def schedule(queue: str, workflow_id: str, every: timedelta, paused: bool) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Scheduled.run, "as planned", id=workflow_id, task_queue=queue
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        state=ScheduleState(paused=paused, note="of a test"),
    )


async def test_a_schedule_starts_workflows(client: Client, queue: str, workflow_id: str):
    plan = schedule(queue, workflow_id, timedelta(seconds=1), paused=False)
    handle = await client.create_schedule(unique("schedule"), plan)
    async with worker(client, queue, [Scheduled]):

        async def twice() -> bool:
            return len((await handle.describe()).info.recent_actions) >= 2

        await wait_for(twice, "two runs of the schedule")
        action = (await handle.describe()).info.recent_actions[0].action
        run = client.get_workflow_handle(action.workflow_id)
        assert await run.result() == "as planned"
    await handle.delete()


async def test_a_paused_schedule_runs_only_when_triggered(
    client: Client, queue: str, workflow_id: str
):
    plan = schedule(queue, workflow_id, timedelta(hours=1), paused=True)
    handle = await client.create_schedule(unique("schedule"), plan)
    description = await handle.describe()
    assert description.schedule.state.paused
    assert description.schedule.state.note == "of a test"
    with pytest.raises(ScheduleAlreadyRunningError):
        await client.create_schedule(handle.id, plan)
    await handle.trigger()
    async with worker(client, queue, [Scheduled]):

        async def ran() -> bool:
            return len((await handle.describe()).info.recent_actions) == 1

        await wait_for(ran, "the triggered run")
    await handle.unpause(note="go")
    assert not (await handle.describe()).schedule.state.paused

    async def listed() -> bool:
        found = [entry.id async for entry in await client.list_schedules()]
        return handle.id in found

    await wait_for(listed, "the schedule in the list")
    await handle.delete()
    with pytest.raises(RPCError) as caught:
        await handle.describe()
    assert caught.value.status == RPCStatusCode.NOT_FOUND
