"""The workflows and activities of the recorded histories."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

KEYWORD = SearchAttributeKey.for_keyword("CustomKeywordField")
INT = SearchAttributeKey.for_int("CustomIntField")
SOON = timedelta(milliseconds=10)
LONG = timedelta(hours=1)


@activity.defn
async def echo(text: str) -> str:
    return text


@activity.defn
async def fails_until(attempt: int) -> int:
    if activity.info().attempt < attempt:
        activity.heartbeat(activity.info().attempt)
        raise ApplicationError("not yet", type="NotYet")
    return activity.info().attempt


@activity.defn
async def is_refused() -> None:
    raise ApplicationError("never", non_retryable=True)


@activity.defn
async def hangs() -> None:
    await asyncio.sleep(3600)


@activity.defn
async def beats_until_cancelled() -> str:
    with suppress(asyncio.CancelledError):
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)
    raise asyncio.CancelledError


@activity.defn
async def refuses_once() -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("first attempt of a local activity")
    return "local"


def _retries(attempts: int) -> RetryPolicy:
    return RetryPolicy(initial_interval=SOON, maximum_attempts=attempts)


@workflow.defn
class Empty:
    @workflow.run
    async def run(self) -> None:
        pass


@workflow.defn
class Activities:
    """Every way in which an activity ends."""

    @workflow.run
    async def run(self) -> list[str]:
        second = timedelta(seconds=1)
        ends = []
        ends.append(
            await workflow.execute_activity(
                echo, "hello", start_to_close_timeout=LONG, summary="says it again"
            )
        )
        ends.append(
            str(
                await workflow.execute_activity(
                    fails_until, 3, start_to_close_timeout=LONG, retry_policy=_retries(5)
                )
            )
        )
        attempts = [
            workflow.execute_activity(
                fails_until, 9, start_to_close_timeout=LONG, retry_policy=_retries(2)
            ),
            workflow.execute_activity(is_refused, start_to_close_timeout=LONG),
            workflow.execute_activity(
                hangs, start_to_close_timeout=second, retry_policy=_retries(1)
            ),
            workflow.execute_activity(
                hangs,
                start_to_close_timeout=LONG,
                heartbeat_timeout=second,
                retry_policy=_retries(1),
            ),
            workflow.execute_activity(hangs, schedule_to_close_timeout=second),
            workflow.execute_activity(
                hangs,
                start_to_close_timeout=LONG,
                schedule_to_start_timeout=second,
                task_queue="nobody-polls-here",
            ),
        ]
        for end in await asyncio.gather(*attempts, return_exceptions=True):
            ends.append(type(end).__name__)
        return ends


@workflow.defn
class CancelsActivities:
    @workflow.run
    async def run(self, how: int, task_queue: str) -> str:
        handle = workflow.start_activity(
            beats_until_cancelled,
            start_to_close_timeout=LONG,
            heartbeat_timeout=timedelta(seconds=30),
            task_queue=task_queue or None,
            cancellation_type=ActivityCancellationType(how),
        )
        await workflow.sleep(timedelta(milliseconds=300))
        handle.cancel()
        try:
            return await handle
        except ActivityError:
            return "cancelled"


@workflow.defn
class WaitsForSignals:
    def __init__(self) -> None:
        self._got: list[str] = []

    @workflow.run
    async def run(self, wanted: int) -> list[str]:
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(lambda: len(self._got) >= wanted, timeout=LONG)
        return self._got

    @workflow.signal
    def give(self, text: str) -> None:
        self._got.append(text)

    @workflow.query
    def got(self) -> int:
        return len(self._got)

    @workflow.update
    async def take(self, text: str) -> int:
        self._got.append(text)
        return len(self._got)

    @take.validator
    def _is_wanted(self, text: str) -> None:
        if not text:
            raise ApplicationError("empty")


@workflow.defn
class Marks:
    @workflow.run
    async def run(self) -> str:
        workflow.patched("a-change")
        await workflow.sleep(SOON, summary="a short rest")
        workflow.deprecate_patch("an-older-change")
        return await workflow.execute_local_activity(
            refuses_once, start_to_close_timeout=LONG, retry_policy=_retries(3)
        )


@workflow.defn
class Upserts:
    @workflow.run
    async def run(self) -> None:
        workflow.upsert_search_attributes([KEYWORD.value_set("one"), INT.value_set(1)])
        workflow.upsert_memo({"first": "kept", "second": "removed"})
        await workflow.sleep(SOON)
        workflow.upsert_search_attributes([INT.value_unset()])
        workflow.upsert_memo({"second": None, "third": 3})
        await workflow.sleep(LONG)


@workflow.defn
class ContinuesAsNew:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            await workflow.sleep(SOON)
            workflow.continue_as_new(left - 1, memo={"left": left - 1})
        return "done"


@workflow.defn
class FailsOnce:
    @workflow.run
    async def run(self) -> int:
        if workflow.info().attempt == 1:
            raise ApplicationError("the first run fails")
        return workflow.info().attempt


@workflow.defn
class Fails:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("no", "detail", type="Refusal", non_retryable=True)


FAILED_TASKS: set[str] = set()


@workflow.defn
class FailsItsTask:
    @workflow.run
    async def run(self) -> None:
        if workflow.info().run_id not in FAILED_TASKS:
            FAILED_TASKS.add(workflow.info().run_id)
            raise RuntimeError("a defect in workflow code")


@workflow.defn
class Cancellable:
    @workflow.run
    async def run(self, obeys: bool) -> str:
        try:
            await workflow.sleep(LONG)
        except asyncio.CancelledError:
            if obeys:
                raise
        return "went on"


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_child_workflow(Empty.run)
        with suppress(Exception):
            await workflow.execute_child_workflow(Fails.run)
        child = await workflow.start_child_workflow(
            Cancellable.run, True, parent_close_policy=ParentClosePolicy.ABANDON
        )
        other = await workflow.start_child_workflow(WaitsForSignals.run, 1)
        await other.signal(WaitsForSignals.give, "from the parent")
        child.cancel()
        with suppress(Exception):
            await child
        with suppress(Exception):
            await workflow.get_external_workflow_handle("nobody").signal("signal")
        return (await other)[0]


WORKFLOWS = [
    Empty,
    Activities,
    CancelsActivities,
    WaitsForSignals,
    Marks,
    Upserts,
    ContinuesAsNew,
    FailsOnce,
    Fails,
    FailsItsTask,
    Cancellable,
    Parent,
]
ACTIVITIES = [echo, fails_until, is_refused, hangs, beats_until_cancelled, refuses_once]
