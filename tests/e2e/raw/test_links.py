"""Links that answers carry: to the event that a request made."""

import pytest
from temporalio.api.common.v1 import Link, WorkflowExecution
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
