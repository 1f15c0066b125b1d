"""Reading histories: pages of whole batches, waiting for new events, the closing event."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType

from harness.history import event_types, expected
from harness.raw import Raw, complete_workflow, start_timer

CLOSE_EVENT = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT


def read(raw: Raw, run: WorkflowExecution, **fields):
    return raw.call("GetWorkflowExecutionHistory", execution=run, **fields)


def batches(raw: Raw, run: WorkflowExecution, method: str, size: int) -> list[list[int]]:
    """The event ids of every page."""
    pages, token = [], b""
    while True:
        page = raw.call(method, execution=run, maximum_page_size=size, next_page_token=token)
        pages.append([event.event_id for event in page.history.events])
        token = page.next_page_token
        if not token:
            return pages


@pytest.fixture
def closed(raw: Raw, queue: str) -> WorkflowExecution:
    """A closed run whose batches are 1-2, 3, 4-6, 7-8, 9, 10-11."""
    run = raw.start(queue)
    raw.complete(raw.poll(queue), start_timer("one", 600_000), start_timer("two", 600_000))
    raw.signal(run)
    raw.complete(raw.poll(queue), complete_workflow(b"1"))
    raw.assert_history(
        run, "Started WorkflowTask TimerStarted TimerStarted Signaled WorkflowTask Completed"
    )
    return run


@pytest.mark.parametrize(
    ("size", "pages"),
    [
        (1, [[1, 2], [3], [4, 5, 6], [7, 8], [9], [10, 11]]),
        (2, [[1, 2, 3], [4, 5, 6, 7, 8], [9, 10, 11]]),
        (4, [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11]]),
        (256, [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]),
        (0, [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]),
        (100_000, [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]),
    ],
)
def test_a_page_holds_whole_batches(
    raw: Raw, closed: WorkflowExecution, size: int, pages: list[list[int]]
):
    read_pages = batches(raw, closed, "GetWorkflowExecutionHistory", size)
    assert [page for page in read_pages if page] == pages


@pytest.mark.parametrize("size", [1, 2, 3, 256])
def test_a_reverse_history_is_the_history_backwards(raw: Raw, closed: WorkflowExecution, size: int):
    pages = batches(raw, closed, "GetWorkflowExecutionHistoryReverse", size)
    assert [number for page in pages for number in page] == list(range(11, 0, -1))
    if size == 1:
        assert pages[0] == [11, 10]


def test_a_page_token_belongs_to_its_run(raw: Raw, closed: WorkflowExecution, queue: str):
    other = raw.start(queue)
    token = read(raw, closed, maximum_page_size=1).next_page_token
    refused = raw.refused("GetWorkflowExecutionHistory", execution=other, next_page_token=token)
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.text == "RunId in the request does not match the NextPageToken."
    raw.terminate(other)


def test_without_waiting_an_open_run_gives_what_it_has(raw: Raw, queue: str):
    run = raw.start(queue)
    answer = read(raw, run)
    assert event_types(answer.history.events) == expected("Started WorkflowTaskScheduled")
    assert answer.next_page_token == b""
    raw.terminate(run)


def test_waiting_gives_what_is_there_and_then_what_comes(raw: Raw, queue: str):
    run = raw.start(queue)
    first = read(raw, run, wait_new_event=True)
    assert event_types(first.history.events) == expected("Started WorkflowTaskScheduled")
    assert first.next_page_token
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            read, raw, run, wait_new_event=True, next_page_token=first.next_page_token, timeout=15
        )
        raw.signal(run)
        second = waiting.result()
    assert event_types(second.history.events) == expected("Signaled")
    assert second.next_page_token
    raw.terminate(run)
    third = read(raw, run, wait_new_event=True, next_page_token=second.next_page_token)
    assert event_types(third.history.events) == expected("Terminated")
    assert third.next_page_token == b""


def test_waiting_in_vain_answers_empty_with_a_token_before_the_deadline(raw: Raw, queue: str):
    run = raw.start(queue)
    token = read(raw, run, wait_new_event=True).next_page_token
    before = time.monotonic()
    answer = read(raw, run, wait_new_event=True, next_page_token=token, timeout=4)
    assert time.monotonic() - before < 4
    assert not answer.history.events
    assert answer.next_page_token
    raw.terminate(run)


def test_the_closing_event_alone_comes_when_the_run_closes(raw: Raw, queue: str):
    run = raw.start(queue)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(
            read,
            raw,
            run,
            wait_new_event=True,
            history_event_filter_type=CLOSE_EVENT,
            timeout=15,
        )
        raw.complete(raw.poll(queue), complete_workflow(b"1"))
        answer = waiting.result()
    while not answer.history.events:
        answer = read(
            raw,
            run,
            wait_new_event=True,
            history_event_filter_type=CLOSE_EVENT,
            next_page_token=answer.next_page_token,
        )
    assert event_types(answer.history.events) == expected("Completed")
    assert answer.next_page_token == b""


@pytest.mark.parametrize("waiting", [False, True])
def test_the_closing_event_of_a_closed_run_comes_at_once(
    raw: Raw, closed: WorkflowExecution, waiting: bool
):
    answer = read(raw, closed, wait_new_event=waiting, history_event_filter_type=CLOSE_EVENT)
    assert event_types(answer.history.events) == expected("Completed")
    assert answer.next_page_token == b""


def test_without_a_run_id_the_current_run_is_read(raw: Raw, queue: str):
    first = raw.start(queue)
    raw.terminate(first)
    second = raw.start(queue, first.workflow_id)
    current = WorkflowExecution(workflow_id=first.workflow_id)
    events = raw.history(current)
    started = events[0].workflow_execution_started_event_attributes
    assert started.original_execution_run_id == second.run_id
    raw.terminate(second)
