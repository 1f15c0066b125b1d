"""Links that answers carry: to the event that a request made."""

import pytest
from temporalio.api.common.v1 import Callback, Link, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import OnConflictOptions

from harness.raw import Raw, start_fields
from harness.sdk import unique

SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
STARTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
OPTIONS_UPDATED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED


def by_request(link: Link) -> tuple[str, str, int]:
    event = link.workflow_event
    return event.run_id, event.request_id_ref.request_id, event.request_id_ref.event_type


@pytest.mark.parametrize("names_the_run", [True, False])
def test_a_signal_is_answered_with_a_link_to_its_event(raw: Raw, queue: str, names_the_run: bool):
    run = raw.start(queue)
    request = unique("request")
    signaled = raw.call(
        "SignalWorkflowExecution",
        workflow_execution=run if names_the_run else WorkflowExecution(workflow_id=run.workflow_id),
        signal_name="signal",
        request_id=request,
    )
    assert signaled.link.workflow_event.namespace == "default"
    assert signaled.link.workflow_event.workflow_id == run.workflow_id
    assert by_request(signaled.link) == (run.run_id, request, SIGNALED)
    raw.terminate(run)


def test_a_start_is_answered_with_a_link_to_what_it_left(raw: Raw, queue: str):
    workflow, first, second = unique("workflow"), unique("first"), unique("second")

    def start(request: str, **attach):
        fields = start_fields(
            queue,
            workflow,
            request_id=request,
            workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
            on_conflict_options=OnConflictOptions(**attach),
        )
        return raw.call("StartWorkflowExecution", **fields)

    started = start(first, attach_request_id=True)
    reference = started.link.workflow_event.event_ref
    assert (reference.event_id, reference.event_type) == (1, STARTED)
    again = start(first, attach_request_id=True)
    assert again.started
    assert again.link == started.link
    for _ in range(2):
        attached = start(second, attach_request_id=True)
        assert not attached.started
        assert by_request(attached.link) == (started.run_id, second, OPTIONS_UPDATED)
    # What is not attached has left nothing that a link could lead to but the start.
    assert start(unique("third")).link == started.link
    raw.terminate(WorkflowExecution(workflow_id=workflow))


def to(workflow_id: str) -> Link:
    event = Link.WorkflowEvent(namespace="default", workflow_id=workflow_id, run_id="run")
    return Link(workflow_event=event)


def test_a_link_that_a_callback_of_the_start_has_is_kept_there_only(raw: Raw, queue: str):
    callback = Callback(nexus=Callback.Nexus(url="temporal://system"), links=[to("b"), to("c")])
    run = raw.start(queue, links=[to("a"), to("b")], completion_callbacks=[callback])
    started = raw.history(run)[0]
    assert list(started.links) == [to("a")]
    (kept,) = started.workflow_execution_started_event_attributes.completion_callbacks
    assert list(kept.links) == [to("b"), to("c")]
    raw.terminate(run)


def test_links_of_callbacks_are_checked_and_counted_with_those_of_the_start(raw: Raw, queue: str):
    def refused(links: list[Link], *of_callbacks: Link) -> str:
        callback = Callback(nexus=Callback.Nexus(url="temporal://system"), links=of_callbacks)
        fields = start_fields(queue, unique("workflow"), links=links)
        refusal = raw.refused("StartWorkflowExecution", completion_callbacks=[callback], **fields)
        assert refusal.code == "INVALID_ARGUMENT"
        return refusal.text

    eleven = [to(str(number)) for number in range(11)]
    too_many = "cannot attach more than 10 links per request, got 11"
    assert refused(eleven[:6], *eleven[6:]) == too_many
    assert refused([], *eleven) == too_many
    nowhere = "workflow event link must not have an empty workflow ID field"
    assert refused([to("")]) == nowhere
    assert refused([], to("")) == nowhere
    large = to("w" * 4000)
    size = f"link exceeds allowed size of 4000, got {large.ByteSize()}"
    assert refused([large]) == refused([], large) == size
