"""`temporal workflow update`: execute, start, result, describe; and with a start."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from harness.raw import Raw, sticky
from harness.sdk import unique
from harness.updates import accept, answer, reject, respond


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def idle(raw: Raw, queue: str, workflow_id: str) -> Iterator[WorkflowExecution]:
    """A run whose first workflow task is done."""
    run = raw.start(queue, workflow_id)
    raw.complete(raw.poll(queue))
    yield run
    raw.terminate(run)


def words(verb: str, run: WorkflowExecution, update_id: str) -> list[str]:
    return ["workflow", "update", verb, "-w", run.workflow_id, "--update-id", update_id]


def test_execute_waits_for_the_outcome(cli, raw: Raw, queue: str, idle, pool):
    executing = pool.submit(cli.json, *words("execute", idle, "one"), "--name", "name", "-i", "1")
    task = raw.poll(queue)
    answer(raw, task, accept(task.messages[0]), respond("one"))
    answered = executing.result()
    assert (answered["updateId"], answered["name"]) == ("one", "name")
    assert answered["result"] == "done"
    assert cli.json(*words("result", idle, "one"))["result"] == "done"
    described = cli.json(*words("describe", idle, "one"))
    assert described["stage"].upper().endswith("COMPLETED")


def test_execute_tells_a_rejection(cli, raw: Raw, queue: str, idle, pool):
    executing = pool.submit(cli.fails, *words("execute", idle, "one"), "--name", "name")
    task = raw.poll(queue)
    answer(raw, task, reject(task.messages[0]))
    assert "no" in executing.result()
    assert 'update "one" not found' in cli.fails(*words("describe", idle, "one"))


def test_start_waits_for_the_acceptance(cli, raw: Raw, queue: str, idle, pool):
    starting = pool.submit(
        cli.json, *words("start", idle, "one"), "--name", "name", "--wait-for-stage", "accepted"
    )
    task = raw.poll(queue)
    answer(raw, task, accept(task.messages[0]), sticky_attributes=sticky(unique("own"), queue))
    assert starting.result()["updateId"] == "one"
    described = cli.json(*words("describe", idle, "one"))
    assert described["stage"].upper().endswith("ACCEPTED")
    waiting = pool.submit(cli.json, *words("result", idle, "one"))
    raw.signal(idle)
    answer(raw, raw.poll(queue), respond("one"))
    assert waiting.result()["result"] == "done"


def test_an_update_with_start_starts_its_workflow(
    cli, raw: Raw, queue: str, workflow_id: str, pool
):
    executing = pool.submit(
        cli.json,
        *["workflow", "execute-update-with-start", "-w", workflow_id, "-t", queue],
        *["--type", "workflow", "--update-name", "name", "--update-id", "one"],
        *["--id-conflict-policy", "UseExisting"],
    )
    task = raw.poll(queue)
    answer(raw, task, accept(task.messages[0]), respond("one"))
    answered = executing.result()
    assert answered["updateId"] == "one"
    assert answered["updateResult"] == "done"
    raw.terminate(WorkflowExecution(workflow_id=workflow_id))
