"""Histories as lists of event names, written the way `temporal workflow show` prints them."""

from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

WORKFLOW_TASK = ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]
"""One workflow task that a worker took and completed."""

ABBREVIATIONS = {
    "Started": ["WorkflowExecutionStarted"],
    "WorkflowTask": WORKFLOW_TASK,
    "Activity": ["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted"],
    "Signaled": ["WorkflowExecutionSignaled"],
    "CancelRequested": ["WorkflowExecutionCancelRequested"],
    "Completed": ["WorkflowExecutionCompleted"],
    "Failed": ["WorkflowExecutionFailed"],
    "Canceled": ["WorkflowExecutionCanceled"],
    "Terminated": ["WorkflowExecutionTerminated"],
    "TimedOut": ["WorkflowExecutionTimedOut"],
    "ContinuedAsNew": ["WorkflowExecutionContinuedAsNew"],
}
"""What one word of an expected sequence stands for; every other word is an event's own name."""


def event_types(events: Iterable[HistoryEvent]) -> list[str]:
    """The names of the events, in order."""
    return [_name(event) for event in events]


def expected(words: str) -> list[str]:
    """The event names that a sequence written with `ABBREVIATIONS` stands for."""
    names = []
    for word in words.split():
        names += ABBREVIATIONS.get(word, [word])
    return names


def only(events: Iterable[HistoryEvent], name: str) -> HistoryEvent:
    """The one event of this name."""
    found = [event for event in events if _name(event) == name]
    assert len(found) == 1, f"{len(found)} events {name}"
    return found[0]


def attributes(event: HistoryEvent):
    """The message in the event's `attributes`, whichever kind it is."""
    return getattr(event, event.WhichOneof("attributes"))


def _name(event: HistoryEvent) -> str:
    words = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)
