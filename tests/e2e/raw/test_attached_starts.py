"""A start that finds an open run leaves its mark there when it asks to."""

from temporalio.api.common.v1 import Link, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import OnConflictOptions

from harness.raw import Raw, complete_workflow, start_fields
from harness.sdk import unique

USE_EXISTING = "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"


def attach(raw: Raw, queue: str, run: WorkflowExecution, request_id: str, **options) -> bool:
    """Starts the workflow once more; true when that started a run."""
    link = Link()
    link.workflow_event.namespace = "default"
    link.workflow_event.workflow_id = "another"
    link.workflow_event.run_id = run.run_id
    answer = raw.call(
        "StartWorkflowExecution",
        **start_fields(
            queue,
            run.workflow_id,
            request_id=request_id,
            workflow_id_conflict_policy=USE_EXISTING,
            on_conflict_options=OnConflictOptions(**options),
            links=[link],
        ),
    )
    assert answer.run_id == run.run_id
    return answer.started


def request_infos(raw: Raw, run: WorkflowExecution) -> dict[str, tuple[int, int, bool]]:
    infos = raw.call(
        "DescribeWorkflowExecution", execution=run
    ).workflow_extended_info.request_id_infos
    return {name: (info.event_type, info.event_id, info.buffered) for name, info in infos.items()}


def test_an_attached_start_is_an_event_and_repeats_into_nothing(raw: Raw, queue: str):
    run = raw.start(queue, request_id=(first := unique("first")))
    second, third = unique("second"), unique("third")
    assert not attach(raw, queue, run, second, attach_request_id=True, attach_links=True)
    assert not attach(raw, queue, run, second, attach_request_id=True, attach_links=True)
    assert not attach(raw, queue, run, third, attach_request_id=True)
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowExecutionOptionsUpdated "
        "WorkflowExecutionOptionsUpdated",
    )
    updated = [event.workflow_execution_options_updated_event_attributes for event in events[2:]]
    assert [attributes.attached_request_id for attributes in updated] == [second, third]
    assert [len(event.links) for event in events[2:]] == [1, 0]
    assert all(event.worker_may_ignore for event in events[2:])
    started = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    options = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED
    assert request_infos(raw, run) == {
        first: (started, 1, False),
        second: (options, 3, False),
        third: (options, 4, False),
    }
    raw.complete(raw.poll(queue), complete_workflow())
    assert not attach(raw, queue, run, third, attach_request_id=True)


def test_an_attached_start_waits_while_a_worker_holds_the_task(raw: Raw, queue: str):
    run = raw.start(queue)
    task = raw.poll(queue)
    attach(raw, queue, run, request := unique("request"), attach_request_id=True)
    assert request_infos(raw, run)[request][1:] == (0, True)
    raw.complete(task)
    raw.assert_history(
        run, "Started WorkflowTask WorkflowExecutionOptionsUpdated WorkflowTaskScheduled"
    )
    assert request_infos(raw, run)[request][1:] == (5, False)
    raw.terminate(run)


def test_a_start_that_attaches_nothing_leaves_an_empty_event(raw: Raw, queue: str):
    run = raw.start(queue)
    attach(raw, queue, run, unique("request"))
    sequence = "Started WorkflowTaskScheduled WorkflowExecutionOptionsUpdated"
    event = raw.assert_history(run, sequence)[2]
    assert event.workflow_execution_options_updated_event_attributes.attached_request_id == ""
    assert len(request_infos(raw, run)) == 1
    raw.terminate(run)
