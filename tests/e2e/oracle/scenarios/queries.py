"""Queries."""

from concurrent.futures import ThreadPoolExecutor

from oracle.scenarios.commands import timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, payloads

SCENARIOS = Registry()

CONDITIONS = {"none": 0, "not-open": 1, "not-completed-cleanly": 2}


def ask(world: World, run, **fields: object):
    fields = {"query": {"query_type": "q", "query_args": payloads(b"1")}} | fields
    return world.on("QueryWorkflow", run, **fields)


def asked_while(world: World, run, answer, **fields: object) -> None:
    """Asks while this thread takes a task and answers it."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, world, run, **fields)
        answer(world.poll(seconds=4))
        asked.result()


def completes_query(world: World, **fields: object):
    def answer(task) -> None:
        world.call(
            "RespondQueryTaskCompleted",
            task_token=task.task_token if task else b"",
            **{"completed_type": 1, "query_result": payloads(b"9")} | fields,
        )

    return answer


@SCENARIOS
def direct(world: World) -> None:
    run = world.start()
    world.turn(timer())
    asked_while(world, run, completes_query(world))


@SCENARIOS
def direct_that_fails(world: World) -> None:
    run = world.start()
    world.turn(timer())
    failing = {"completed_type": 2, "error_message": "unknown", "query_result": None}
    asked_while(world, run, completes_query(world, **failing))


@SCENARIOS
def on_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    asked_while(world, run, completes_query(world))


def conditional(world: World, condition: int) -> None:
    run = world.start()
    world.turn(command("FAIL_WORKFLOW_EXECUTION", failure={"message": "f"}))
    if condition == 0:
        asked_while(world, run, completes_query(world))
    else:
        ask(world, run, query_reject_condition=condition)


SCENARIOS.table("condition", CONDITIONS, conditional)


@SCENARIOS
def attached_to_a_task(world: World) -> None:
    run = world.start()

    def answer(task) -> None:
        queries = list(task.queries) if task else []
        results = {key: {"result_type": 1, "answer": payloads(b"3")} for key in queries}
        world.complete(task, timer(), query_results=results)

    asked_while(world, run, answer)


@SCENARIOS
def before_any_task_completed_on_a_closed_run(world: World) -> None:
    run = world.start()
    world.on("TerminateWorkflowExecution", run)
    ask(world, run)


@SCENARIOS
def of_a_delayed_run(world: World) -> None:
    run = world.start(workflow_start_delay={"seconds": 60})
    ask(world, run)


@SCENARIOS
def without_a_type(world: World) -> None:
    ask(world, world.start(), query={})
    ask(world, None)


@SCENARIOS
def when_a_task_keeps_failing(world: World) -> None:
    run = world.start()
    for _ in range(3):
        task = world.poll()
        world.call("RespondWorkflowTaskFailed", task_token=task.task_token if task else b"")
    ask(world, run)
