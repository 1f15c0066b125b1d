"""Child workflows to the last field: what parent and child write, and what a close leads to."""

import contextlib

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.enums.v1 import (
    CommandType,
    ContinueAsNewInitiator,
    ParentClosePolicy,
    RetryState,
    StartChildWorkflowExecutionFailedCause,
    WorkflowExecutionStatus,
    WorkflowIdReusePolicy,
    WorkflowTaskFailedCause,
)

from harness.history import attributes, event_types, only
from harness.raw import Raw, complete_workflow, payload, payloads, start_child
from harness.sdk import unique
from harness.waiting import wait_for_sync

TERMINATE = ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE
REQUEST_CANCEL = ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL
ABANDON = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON

STARTED = (
    "Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted "
    "WorkflowTaskScheduled"
)


def fail_workflow(message: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
    command.fail_workflow_execution_command_attributes.failure.message = message
    return command


def cancel_workflow(*details: bytes) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
    command.cancel_workflow_execution_command_attributes.details.CopyFrom(payloads(*details))
    return command


def continue_as_new() -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    command.continue_as_new_workflow_execution_command_attributes.SetInParent()
    return command


def wait_for_event(raw: Raw, run: WorkflowExecution, name: str) -> list:
    """The history, once it has an event of this name."""

    def there():
        events = raw.history(run)
        return events if name in event_types(events) else None

    return wait_for_sync(there, f"{name} in {run.workflow_id}")


def describe(raw: Raw, run: WorkflowExecution):
    return raw.call("DescribeWorkflowExecution", execution=run)


def wait_for_status(raw: Raw, run: WorkflowExecution, name: str) -> None:
    status = WorkflowExecutionStatus.Value(f"WORKFLOW_EXECUTION_STATUS_{name}")
    wait_for_sync(
        lambda: describe(raw, run).workflow_execution_info.status == status,
        f"{run.workflow_id} {name}",
    )


class Family:
    """A parent that has started a child, and what they are called."""

    def __init__(self, raw: Raw, queue: str, **fields) -> None:
        self.raw = raw
        self.parent_queue, self.queue = queue, f"{queue}-child"
        self.parent = raw.start(queue, **fields.pop("parent", {}))
        child_id = fields.pop("workflow_id", f"{self.parent.workflow_id}-child")
        raw.complete(raw.poll(queue), start_child(child_id, self.queue, **fields))
        events = wait_for_event(raw, self.parent, "ChildWorkflowExecutionStarted")
        started = attributes(only(events, "ChildWorkflowExecutionStarted"))
        self.child = started.workflow_execution

    def clean_up(self) -> None:
        for run in (self.parent, self.child):
            with contextlib.suppress(grpc.RpcError):
                self.raw.terminate(WorkflowExecution(workflow_id=run.workflow_id))


def test_everything_given_to_a_child_reaches_it(raw: Raw, queue: str):
    family = Family(
        raw,
        queue,
        input=payloads(b'"in"'),
        workflow_execution_timeout=60,
        workflow_run_timeout=90,
        workflow_task_timeout=4,
        control="control",
        priority=Priority(fairness_key="of the child"),
        parent={
            "priority": Priority(priority_key=2, fairness_key="of the parent"),
        },
    )
    events = raw.assert_history(family.parent, STARTED)
    initiated = attributes(events[4])
    assert initiated.workflow_task_completed_event_id == 4
    assert initiated.namespace == "default"
    assert initiated.namespace_id
    assert initiated.workflow_id == family.child.workflow_id
    assert initiated.workflow_type.name == "child"
    assert initiated.task_queue.name == family.queue
    assert initiated.input == payloads(b'"in"')
    assert initiated.control == "control"
    assert initiated.workflow_execution_timeout.seconds == 60
    assert initiated.workflow_run_timeout.seconds == 60
    assert initiated.workflow_task_timeout.seconds == 4
    assert initiated.parent_close_policy == TERMINATE
    assert (
        initiated.workflow_id_reuse_policy
        == WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
    )
    started = attributes(events[5])
    assert started.initiated_event_id == 5
    assert started.namespace == "default"
    assert started.namespace_id == initiated.namespace_id
    assert started.workflow_type.name == "child"

    first = raw.assert_history(family.child, "Started WorkflowTaskScheduled")[0]
    start = attributes(first)
    assert start.parent_workflow_execution == family.parent
    assert start.parent_workflow_namespace == "default"
    assert start.parent_workflow_namespace_id == initiated.namespace_id
    assert start.parent_initiated_event_id == 5
    assert start.root_workflow_execution == family.parent
    assert start.first_execution_run_id == family.child.run_id
    assert start.original_execution_run_id == family.child.run_id
    assert start.workflow_id == family.child.workflow_id
    assert start.input == payloads(b'"in"')
    assert start.identity == ""
    assert start.attempt == 1
    assert start.workflow_execution_timeout.seconds == 60
    assert start.workflow_run_timeout.seconds == 60
    assert start.workflow_task_timeout.seconds == 4
    assert start.priority.priority_key == 2
    assert start.priority.fairness_key == "of the child"
    family.clean_up()


def test_a_child_runs_where_its_parent_does_unless_told(raw: Raw, queue: str):
    parent = raw.start(queue)
    command = start_child(unique("child"), "")
    command.start_child_workflow_execution_command_attributes.ClearField("task_queue")
    raw.complete(raw.poll(queue), command)
    events = wait_for_event(raw, parent, "ChildWorkflowExecutionStarted")
    assert attributes(only(events, "StartChildWorkflowExecutionInitiated")).task_queue.name == queue
    raw.terminate(parent)


def test_memo_and_search_attributes_of_a_child(raw: Raw, queue: str):
    parent = raw.start(queue)
    command = start_child(f"{parent.workflow_id}-child", queue)
    child = command.start_child_workflow_execution_command_attributes
    child.memo.fields["note"].CopyFrom(payload(b'"memo"'))
    child.search_attributes.indexed_fields["BatcherUser"].CopyFrom(payload(b'"somebody"'))
    raw.complete(raw.poll(queue), command)
    events = wait_for_event(raw, parent, "ChildWorkflowExecutionStarted")
    run = attributes(only(events, "ChildWorkflowExecutionStarted")).workflow_execution
    start = attributes(raw.history(run)[0])
    assert start.memo.fields["note"] == payload(b'"memo"')
    value = start.search_attributes.indexed_fields["BatcherUser"]
    assert value.data == b'"somebody"'
    assert value.metadata["type"] == b"Keyword"
    raw.terminate(parent)


CLOSES = {
    "Completed": (complete_workflow(b'"out"'), {"result": payloads(b'"out"')}),
    "Failed": (
        fail_workflow("broken"),
        {"retry_state": RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET},
    ),
    "Canceled": (cancel_workflow(b'"bye"'), {"details": payloads(b'"bye"')}),
}


@pytest.mark.parametrize("way", CLOSES)
def test_a_parent_learns_how_its_child_closed(raw: Raw, queue: str, way: str):
    family = Family(raw, queue)
    command, fields = CLOSES[way]
    raw.complete(raw.poll(queue))
    raw.complete(raw.poll(family.queue), command)
    raw.complete(raw.poll(queue), complete_workflow())
    events = raw.assert_history(
        family.parent,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted "
        f"WorkflowTask ChildWorkflowExecution{way} WorkflowTask Completed",
    )
    closed = attributes(events[9])
    assert closed.initiated_event_id == 5
    assert closed.started_event_id == 6
    assert closed.namespace == "default"
    assert closed.namespace_id
    assert closed.workflow_execution == family.child
    assert closed.workflow_type.name == "child"
    for name, value in fields.items():
        assert getattr(closed, name) == value
    if way == "Failed":
        assert closed.failure.message == "broken"


def test_a_parent_learns_that_its_child_was_terminated(raw: Raw, queue: str):
    family = Family(raw, queue)
    raw.terminate(family.child)
    events = wait_for_event(raw, family.parent, "ChildWorkflowExecutionTerminated")
    assert attributes(only(events, "ChildWorkflowExecutionTerminated")).started_event_id == 6
    raw.terminate(family.parent)


def test_a_parent_learns_that_its_child_timed_out(raw: Raw, queue: str):
    family = Family(raw, queue, workflow_run_timeout=1)
    events = wait_for_event(raw, family.parent, "ChildWorkflowExecutionTimedOut")
    timed_out = attributes(only(events, "ChildWorkflowExecutionTimedOut"))
    assert timed_out.retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    raw.terminate(family.parent)


def test_only_the_last_run_of_a_chain_is_told(raw: Raw, queue: str):
    family = Family(raw, queue)
    raw.complete(raw.poll(queue))
    raw.complete(raw.poll(family.queue), continue_as_new())
    second = raw.poll(family.queue)
    assert second.workflow_execution.run_id != family.child.run_id
    start = attributes(second.history.events[0])
    assert start.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW
    assert start.first_execution_run_id == family.child.run_id
    assert start.parent_workflow_execution == family.parent
    assert start.root_workflow_execution == family.parent
    raw.complete(second, complete_workflow(b'"second"'))
    raw.complete(raw.poll(queue), complete_workflow())
    events = raw.assert_history(
        family.parent,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted "
        "WorkflowTask ChildWorkflowExecutionCompleted WorkflowTask Completed",
    )
    closed = attributes(events[9])
    assert closed.workflow_execution == second.workflow_execution
    assert closed.result == payloads(b'"second"')


def test_an_id_in_use_fails_the_start(raw: Raw, queue: str):
    other = raw.start(f"{queue}-other")
    parent = raw.start(queue)
    raw.complete(raw.poll(queue), start_child(other.workflow_id, queue, control="c"))
    events = wait_for_event(raw, parent, "StartChildWorkflowExecutionFailed")
    failed = attributes(only(events, "StartChildWorkflowExecutionFailed"))
    assert failed.cause == StartChildWorkflowExecutionFailedCause.Value(
        "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
    )
    assert failed.initiated_event_id == 5
    assert failed.workflow_task_completed_event_id == 0
    assert failed.workflow_id == other.workflow_id
    assert failed.workflow_type.name == "child"
    assert failed.namespace == "default"
    assert failed.control == "c"
    raw.assert_history(
        parent,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated "
        "StartChildWorkflowExecutionFailed WorkflowTaskScheduled",
    )
    for run in (other, parent):
        raw.terminate(run)


def test_the_reuse_policy_of_a_child_is_honoured(raw: Raw, queue: str):
    other = raw.start(f"{queue}-other")
    raw.terminate(other)
    reject = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    parent = raw.start(queue)
    command = start_child(other.workflow_id, queue, workflow_id_reuse_policy=reject)
    raw.complete(raw.poll(queue), command)
    wait_for_event(raw, parent, "StartChildWorkflowExecutionFailed")
    raw.terminate(parent)


def test_a_child_of_the_same_workflow_twice_is_refused_by_its_id(raw: Raw, queue: str):
    parent = raw.start(queue)
    child_id = f"{parent.workflow_id}-child"
    raw.complete(
        raw.poll(queue), start_child(child_id, queue + "x"), start_child(child_id, queue + "x")
    )
    events = wait_for_event(raw, parent, "StartChildWorkflowExecutionFailed")
    assert event_types(events).count("ChildWorkflowExecutionStarted") <= 1
    wait_for_event(raw, parent, "ChildWorkflowExecutionStarted")
    raw.terminate(parent)


@pytest.mark.parametrize(
    ("policy", "status"),
    [(TERMINATE, "TERMINATED"), (REQUEST_CANCEL, "RUNNING"), (ABANDON, "RUNNING")],
)
@pytest.mark.parametrize("close", ["completes", "is terminated", "times out", "continues"])
def test_the_policy_holds_however_the_parent_closes(
    raw: Raw, queue: str, policy: int, status: str, close: str
):
    timeout = {"workflow_run_timeout": 2} if close == "times out" else {}
    parent = {name: Duration(seconds=seconds) for name, seconds in timeout.items()}
    family = Family(raw, queue, parent_close_policy=policy, parent=parent)
    if close == "completes":
        raw.complete(raw.poll(queue), complete_workflow())
    elif close == "continues":
        raw.complete(raw.poll(queue), continue_as_new())
    elif close == "is terminated":
        raw.terminate(family.parent)
    else:
        wait_for_status(raw, family.parent, "TIMED_OUT")
    if policy == TERMINATE:
        wait_for_status(raw, family.child, status)
        terminated = raw.history(family.child)[-1]
        assert attributes(terminated).reason == "by parent close policy"
        assert attributes(terminated).identity == "history-service"
    elif policy == REQUEST_CANCEL:
        events = wait_for_event(raw, family.child, "WorkflowExecutionCancelRequested")
        requested = attributes(only(events, "WorkflowExecutionCancelRequested"))
        assert requested.external_workflow_execution == family.parent
        assert requested.external_initiated_event_id == 0
        assert requested.cause == ""
        assert requested.identity == "history-service"
    wait_for_status(raw, family.child, status)
    described = describe(raw, family.parent)
    pending = [child.workflow_id for child in described.pending_children]
    assert pending == [family.child.workflow_id]
    family.clean_up()


def test_the_policy_follows_a_child_that_continued(raw: Raw, queue: str):
    family = Family(raw, queue)
    raw.complete(raw.poll(family.queue), continue_as_new())
    second = WorkflowExecution(workflow_id=family.child.workflow_id)
    wait_for_sync(
        lambda: (
            describe(raw, second).workflow_execution_info.execution.run_id != family.child.run_id
        ),
        "the second run",
    )
    raw.terminate(family.parent)
    wait_for_status(raw, second, "TERMINATED")


def test_a_parent_that_closes_at_once_starts_no_child(raw: Raw, queue: str):
    parent = raw.start(queue)
    child_id = f"{parent.workflow_id}-child"
    command = start_child(child_id, queue, parent_close_policy=ABANDON)
    raw.complete(raw.poll(queue), command, complete_workflow())
    raw.assert_history(
        parent, "Started WorkflowTask StartChildWorkflowExecutionInitiated Completed"
    )
    assert not raw.poll(queue, seconds=3).task_token
    refused = raw.refused(
        "DescribeWorkflowExecution", execution=WorkflowExecution(workflow_id=child_id)
    )
    assert refused.code == "NOT_FOUND"


def test_a_deleted_child_is_terminated_for_its_parent(raw: Raw, queue: str):
    family = Family(raw, queue)
    raw.call("DeleteWorkflowExecution", workflow_execution=family.child)
    wait_for_event(raw, family.parent, "ChildWorkflowExecutionTerminated")
    raw.terminate(family.parent)


def test_describe_and_lists_show_the_family(raw: Raw, queue: str):
    family = Family(raw, queue, parent_close_policy=ABANDON)
    [pending] = describe(raw, family.parent).pending_children
    assert pending.workflow_id == family.child.workflow_id
    assert pending.run_id == family.child.run_id
    assert pending.workflow_type_name == "child"
    assert pending.initiated_id == 5
    assert pending.parent_close_policy == ABANDON
    info = describe(raw, family.child).workflow_execution_info
    assert info.parent_execution == family.parent
    assert info.parent_namespace_id
    assert info.root_execution == family.parent

    grandchild_id = f"{family.child.workflow_id}-child"
    raw.complete(raw.poll(family.queue), start_child(grandchild_id, family.queue))
    wait_for_event(raw, family.child, "ChildWorkflowExecutionStarted")
    grandchild = WorkflowExecution(workflow_id=grandchild_id)
    info = describe(raw, grandchild).workflow_execution_info
    assert info.parent_execution == family.child
    assert info.root_execution == family.parent
    by = {
        f"ParentWorkflowId = '{family.parent.workflow_id}'": {family.child.workflow_id},
        f"ParentRunId = '{family.child.run_id}'": {grandchild_id},
        f"RootWorkflowId = '{family.parent.workflow_id}'": {
            family.parent.workflow_id,
            family.child.workflow_id,
            grandchild_id,
        },
        f"RootRunId = '{family.parent.run_id}' AND ParentWorkflowId IS NULL": {
            family.parent.workflow_id
        },
    }
    for query, expected in by.items():

        def found(query=query, expected=expected):
            answer = raw.call("ListWorkflowExecutions", query=query)
            return {run.execution.workflow_id for run in answer.executions} == expected

        wait_for_sync(found, query)
    raw.terminate(grandchild)
    family.clean_up()


BAD = {
    "no id": {"workflow_id": ""},
    "a negative timeout": {"workflow_run_timeout": -1},
    "a reserved queue": {"queue": "/_sys/q"},
    "a bad cron": {"cron_schedule": "never"},
    "no type": {"type": ""},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_command_fails_the_task(raw: Raw, queue: str, name: str):
    fields = dict(BAD[name])
    workflow_id = fields.pop("workflow_id", "child")
    type_name = fields.pop("type", "child")
    command = start_child(workflow_id, fields.pop("queue", queue), **fields)
    command.start_child_workflow_execution_command_attributes.workflow_type.name = type_name
    run = raw.start(queue)
    refused = raw.refused(
        "RespondWorkflowTaskCompleted", task_token=raw.poll(queue).task_token, commands=[command]
    )
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text.startswith("BadStartChildExecutionAttributes: ")
    texts = {
        "no id": "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. "
        "WorkflowType=child Namespace=default",
        "no type": "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. "
        "WorkflowId=child Namespace=default",
        "a negative timeout": "Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: "
        "negative duration. WorkflowId=child WorkflowType=child Namespace=default",
        "a bad cron": "invalid CronSchedule on StartChildWorkflowExecutionCommand: "
        "invalid CronSchedule.. WorkflowId=child WorkflowType=child Namespace=default",
    }
    if name in texts:
        assert refused.text == f"BadStartChildExecutionAttributes: {texts[name]}"
    events = raw.assert_history(
        run,
        "Started WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed",
    )
    assert attributes(events[3]).cause == WorkflowTaskFailedCause.Value(
        "WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES"
    )
    raw.terminate(run)


def test_news_of_a_child_waits_for_the_task_and_its_close_comes_last(raw: Raw, queue: str):
    family = Family(raw, queue)
    task = raw.poll(queue)
    raw.complete(raw.poll(family.queue), complete_workflow())
    child = describe(raw, family.child).workflow_execution_info
    assert child.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
    wait_for_sync(lambda: not describe(raw, family.parent).pending_children, "the news")
    raw.signal(family.parent, "later")
    raw.assert_history(
        family.parent,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted "
        "WorkflowTaskScheduled WorkflowTaskStarted",
    )
    raw.complete(task)
    raw.assert_history(
        family.parent,
        "Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted "
        "WorkflowTask Signaled ChildWorkflowExecutionCompleted WorkflowTaskScheduled",
    )
    raw.terminate(family.parent)
