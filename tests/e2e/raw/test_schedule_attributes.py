"""Search attributes of a schedule, on the wire."""

from temporalio.api.common.v1 import SearchAttributes
from temporalio.api.schedule.v1 import Schedule

from harness.raw import Raw, payload
from harness.sdk import unique
from harness.waiting import wait_for_sync


def schedule(queue: str) -> Schedule:
    made = Schedule()
    made.spec.interval.add().interval.FromSeconds(86_400 * 365)
    started = made.action.start_workflow
    started.workflow_id = unique("workflow")
    started.workflow_type.name = "nothing"
    started.task_queue.name = queue
    return made


def has_some(raw: Raw, schedule_id: str) -> bool:
    described = raw.call("DescribeSchedule", schedule_id=schedule_id)
    return described.HasField("search_attributes")


def test_an_update_with_no_search_attributes_takes_them_away(raw: Raw, queue: str):
    schedule_id = unique("schedule")
    some = SearchAttributes(indexed_fields={"CustomIntField": payload(b"1")})
    created = raw.call(
        "CreateSchedule",
        schedule_id=schedule_id,
        schedule=schedule(queue),
        request_id=unique("request"),
        search_attributes=some,
    )
    assert created.conflict_token
    for sent, kept in [(None, True), (SearchAttributes(), False)]:
        raw.call(
            "UpdateSchedule",
            schedule_id=schedule_id,
            schedule=schedule(queue),
            request_id=unique("request"),
            search_attributes=sent,
        )
        wait_for_sync(lambda kept=kept: has_some(raw, schedule_id) == kept, "the update's effect")
    raw.call("DeleteSchedule", schedule_id=schedule_id)
