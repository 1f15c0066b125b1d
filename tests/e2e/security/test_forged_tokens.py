"""Tokens that the server did not make, or made for somebody else, and tokens over a restart."""

from collections.abc import Callable, Iterator

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from harness.raw import Raw, complete_workflow, payloads, schedule_activity
from harness.sdk import unique
from harness.secured import SecuredServer

SETTINGS = {
    "namespaces": [{"name": "default"}, {"name": "other"}],
    "limits": {"visibility_per_second": 100_000},
}

BAD_TASK = ("INVALID_ARGUMENT", "Error deserializing task token.")
BAD_PAGE = ("INVALID_ARGUMENT", "Invalid NextPageToken.")


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


def test_the_token_of_another_cluster_is_none(raw: Raw, tmp_path):
    run, token, _ = activity_task(raw)
    with SecuredServer(tmp_path / "another", SETTINGS) as another:
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
