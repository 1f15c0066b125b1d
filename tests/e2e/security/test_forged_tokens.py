"""Tokens that the server did not make, or made for somebody else, and tokens over a restart."""

import base64
from collections.abc import Callable, Iterator

import pytest
from temporalio.api.common.v1 import ActivityType, WorkflowExecution
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.outside import Answer, post
from harness.raw import Raw, complete_workflow, payloads, schedule_activity
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import free_port

HTTP = f"127.0.0.1:{free_port()}"

SETTINGS = {
    "http": {"listen": HTTP},
    "namespaces": [{"name": "default"}, {"name": "other"}],
    "limits": {"visibility_per_second": 100_000},
}

BAD_TASK = ("INVALID_ARGUMENT", "Error deserializing task token.")
BAD_PAGE = ("INVALID_ARGUMENT", "Invalid NextPageToken.")
BAD_LONG_POLL = ("INVALID_ARGUMENT", "invalid long poll token")
OTHER_RUN = ("INVALID_ARGUMENT", "long poll token does not match execution")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[SecuredServer]:
    with SecuredServer(tmp_path_factory.mktemp("tokens") / "server", SETTINGS) as running:
        yield running


@pytest.fixture
def raw(server: SecuredServer) -> Iterator[Raw]:
    client = Raw(server.address)
    yield client
    client.channel.close()


def changed(token: bytes) -> Iterator[bytes]:
    """The token with a bit flipped in each of its bytes, cut, and without its code."""
    for place in range(len(token)):
        yield token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
    yield token[:-1]
    yield token[16:]


def assert_refused(call: Callable, tokens: Iterator[bytes], expected: tuple[str, str]) -> None:
    for token in tokens:
        refusal = call(token)
        assert (refusal.code, refusal.text) == expected, token


def activity_task(raw: Raw) -> tuple[WorkflowExecution, bytes, str]:
    queue = unique("queue")
    run = raw.start(queue)
    raw.complete(raw.poll(queue), schedule_activity("a", queue, start_to_close_timeout=60))
    return run, raw.poll_activity(queue).task_token, queue


def test_a_forged_task_token_is_none(raw: Raw):
    _, token, _ = activity_task(raw)
    assert_refused(
        lambda bad: raw.refused("RespondActivityTaskCompleted", task_token=bad),
        changed(token),
        BAD_TASK,
    )
    raw.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"1"))


def test_a_forged_workflow_task_token_is_none(raw: Raw):
    queue = unique("queue")
    raw.start(queue)
    task = raw.poll(queue)
    assert_refused(
        lambda bad: raw.refused("RespondWorkflowTaskCompleted", task_token=bad),
        changed(task.task_token),
        BAD_TASK,
    )
    raw.complete(task, complete_workflow(b"1"))


def test_a_page_token_counts_in_its_namespace_and_for_its_purpose_only(raw: Raw):
    queue = unique("queue")
    runs = [raw.start(queue) for _ in range(3)]
    history = {"execution": runs[0], "maximum_page_size": 1}
    pages = {
        "ListWorkflowExecutions": ({"page_size": 1}, {}),
        "GetWorkflowExecutionHistory": (history, history),
    }
    raw.poll(queue)
    made = {}
    for method, (fields, again) in pages.items():
        token = raw.call(method, **fields).next_page_token
        assert token
        made[method] = token
        raw.call(method, next_page_token=token, **fields)
        assert_refused(
            lambda bad, method=method, again=again: raw.refused(
                method, next_page_token=bad, **again
            ),
            changed(token),
            BAD_PAGE,
        )
        foreign = raw.refused(method, namespace="other", next_page_token=token, **again)
        assert (foreign.code, foreign.text) == BAD_PAGE
    swapped = raw.refused(
        "ListWorkflowExecutions", next_page_token=made["GetWorkflowExecutionHistory"]
    )
    assert (swapped.code, swapped.text) == BAD_PAGE
    for run in runs:
        raw.terminate(run)


def nexus_endpoint(raw: Raw, queue: str) -> str:
    name = unique("endpoint")
    target = {"worker": {"namespace": "default", "task_queue": queue}}
    request = CreateNexusEndpointRequest(spec={"name": name, "target": target})
    raw.operator.CreateNexusEndpoint(request, timeout=10)
    return name


def start_activity(raw: Raw) -> dict:
    """A standalone activity, as requests name it."""
    name = unique("activity")
    answer = raw.call(
        "StartActivityExecution",
        activity_id=name,
        activity_type=ActivityType(name="a"),
        task_queue=TaskQueue(name=unique("queue")),
        start_to_close_timeout={"seconds": 60},
        request_id=unique("r"),
        identity="x",
    )
    return {"activity_id": name, "run_id": answer.run_id}


def start_operation(raw: Raw) -> dict:
    """A Nexus operation that no workflow waits for, as requests name it."""
    name, queue = unique("operation"), unique("queue")
    answer = raw.call(
        "StartNexusOperationExecution",
        operation_id=name,
        endpoint=nexus_endpoint(raw, queue),
        service="service",
        operation="operation",
        request_id=unique("r"),
        identity="x",
    )
    return {"operation_id": name, "run_id": answer.run_id}


@pytest.mark.parametrize(
    "method, start",
    [
        ("DescribeActivityExecution", start_activity),
        ("DescribeNexusOperationExecution", start_operation),
    ],
)
def test_a_long_poll_token_counts_for_its_run_and_namespace_only(raw: Raw, method: str, start):
    named, another = start(raw), start(raw)
    token = raw.call(method, **named).long_poll_token

    def refusal(bad: bytes, **fields):
        return raw.refused(method, long_poll_token=bad, **(named | fields))

    assert_refused(refusal, changed(token), BAD_LONG_POLL)
    foreign = refusal(token, namespace="other")
    assert (foreign.code, foreign.text) == BAD_LONG_POLL
    history = {"execution": raw.start(unique("queue")), "maximum_page_size": 1}
    raw.signal(history["execution"])
    page = raw.call("GetWorkflowExecutionHistory", **history).next_page_token
    assert page
    swapped = refusal(page)
    assert (swapped.code, swapped.text) == BAD_LONG_POLL
    swapped = raw.refused(method, long_poll_token=token, **another)
    assert (swapped.code, swapped.text) == OTHER_RUN
    raw.terminate(history["execution"])


def test_a_forged_callback_token_completes_nothing(server: SecuredServer, raw: Raw):
    queue, name = unique("queue"), unique("operation")
    operation = raw.call(
        "StartNexusOperationExecution",
        operation_id=name,
        endpoint=nexus_endpoint(raw, queue),
        service="service",
        operation="operation",
        request_id=unique("r"),
        identity="x",
    )
    task = raw.call("PollNexusTaskQueue", task_queue=TaskQueue(name=queue), identity="x")
    token = task.request.start_operation.callback_header["temporal-callback-token"]
    started = {"start_operation": {"async_success": {"operation_token": "t"}}}
    raw.call("RespondNexusTaskCompleted", task_token=task.task_token, response=started)

    def complete(with_token: str, path: str = "/nexus/callback") -> Answer:
        headers = {"nexus-operation-state": "succeeded", "temporal-callback-token": with_token}
        return post(f"http://{HTTP}{path}", b'"done"', headers)

    def text(token: bytes) -> str:
        return base64.urlsafe_b64encode(token).rstrip(b"=").decode()

    genuine = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    forged = [text(bad) for bad in changed(genuine)] + [text(task.task_token), "", "garbage"]
    for bad in forged:
        answer = complete(bad)
        assert answer.status == 400, bad
        assert b"invalid callback token" in answer.body
    assert complete(token, "/namespaces/other/nexus/callback").status == 400
    # The same token completes it, and nothing before did; also after a restart.
    server.restart_after_kill()
    assert complete(token, "/namespaces/default/nexus/callback").status == 200
    assert complete(token).status == 404
    again = Raw(server.address)
    answer = again.call(
        "PollNexusOperationExecution",
        operation_id=name,
        run_id=operation.run_id,
        wait_stage="NEXUS_OPERATION_WAIT_STAGE_CLOSED",
    )
    assert answer.result.data == b'"done"'
    again.channel.close()


def test_the_token_of_another_cluster_is_none(raw: Raw, tmp_path):
    run, token, _ = activity_task(raw)
    with SecuredServer(tmp_path / "another", SETTINGS | {"http": {"listen": ""}}) as another:
        stranger = Raw(another.address)
        refusal = stranger.refused("RespondActivityTaskCompleted", task_token=token)
        assert (refusal.code, refusal.text) == BAD_TASK
        stranger.channel.close()
    raw.terminate(run)


def test_an_activity_is_completed_with_its_token_after_a_restart(server: SecuredServer, raw: Raw):
    run, token, queue = activity_task(raw)
    page = raw.call("GetWorkflowExecutionHistory", execution=run, maximum_page_size=1)
    server.restart_after_kill()
    again = Raw(server.address)
    again.call("RespondActivityTaskCompleted", task_token=token, result=payloads(b"1"))
    rest = again.call(
        "GetWorkflowExecutionHistory",
        execution=run,
        maximum_page_size=1,
        next_page_token=page.next_page_token,
    )
    assert rest.history.events[0].event_id == page.history.events[-1].event_id + 1
    again.complete(again.poll(queue), complete_workflow(b"1"))
    again.assert_history(
        run,
        "Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskCompleted "
        "WorkflowTask Completed",
    )
    again.channel.close()
