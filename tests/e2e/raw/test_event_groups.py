"""Workflows group their events for those who look at them: what a command says, its event keeps."""

from temporalio.api.command.v1 import Command
from temporalio.api.sdk.v1 import EventGroupMarker

from harness.raw import (
    Raw,
    complete_workflow,
    payload,
    record_marker,
    schedule_activity,
    start_timer,
)

GROUP = EventGroupMarker(label=EventGroupMarker.Label(id="1", label=payload(b'"payment"')))


def grouped(command: Command) -> Command:
    command.event_group_markers.append(GROUP)
    return command


def test_an_event_keeps_the_groups_of_its_command(raw: Raw, queue: str):
    run = raw.start(queue)
    raw.complete(
        raw.poll(queue),
        grouped(schedule_activity("a", queue)),
        start_timer("t", 600_000),
        grouped(record_marker("m")),
        grouped(complete_workflow()),
    )
    events = raw.assert_history(
        run, "Started WorkflowTask ActivityTaskScheduled TimerStarted MarkerRecorded Completed"
    )
    assert [list(event.event_group_markers) for event in events[4:]] == [
        [GROUP],
        [],
        [GROUP],
        [GROUP],
    ]
