"""Updates, spoken with protocol messages."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.any_pb2 import Any
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Rejection, Response

from oracle.scenarios.commands import timer
from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payloads

SCENARIOS = Registry()

STAGE = "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE"


def ask(world: World, run, stage: str = "COMPLETED", update_id: str = "u", **fields: object):
    request = {"meta": {"update_id": update_id}, "input": {"name": "up", "args": payloads(b"1")}}
    return world.on(
        "UpdateWorkflowExecution",
        run,
        **{
            "wait_policy": {"lifecycle_stage": f"{STAGE}_{stage}"},
            "request": request,
            "timeout": 6.0,
        }
        | fields,
    )


def packed(message) -> Any:
    holder = Any()
    holder.Pack(message)
    return holder


def accepted(task) -> Message:
    arrived = task.messages[0]
    return Message(
        id="accept",
        protocol_instance_id=arrived.protocol_instance_id,
        body=packed(
            Acceptance(
                accepted_request_message_id=arrived.id,
                accepted_request_sequencing_event_id=arrived.event_id,
            )
        ),
    )


def rejected(task) -> Message:
    arrived = task.messages[0]
    return Message(
        id="reject",
        protocol_instance_id=arrived.protocol_instance_id,
        body=packed(
            Rejection(
                rejected_request_message_id=arrived.id,
                rejected_request_sequencing_event_id=arrived.event_id,
                failure=failure("no"),
            )
        ),
    )


def answered(task, outcome: dict) -> Message:
    response = Response(meta={"update_id": "u"}, outcome=outcome)
    return Message(
        id="respond",
        protocol_instance_id=task.messages[0].protocol_instance_id,
        body=packed(response),
    )


def refer(*ids: str) -> list:
    return [command("PROTOCOL_MESSAGE", message_id=message_id) for message_id in ids]


def during(world: World, run, answer, **fields: object) -> None:
    """Updates the run while this thread takes its workflow task."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, world, run, **fields)
        world.wait(lambda: asked.done() or _is_known(world, run), "the update")
        task = world.poll(seconds=4)
        if task and task.messages:
            answer(task)
        asked.result()


def _is_known(world: World, run) -> bool:
    """True once the server has the update."""
    try:
        world.raw.call(
            "PollWorkflowExecutionUpdate",
            update_ref={"workflow_execution": run, "update_id": "u"},
            wait_policy={"lifecycle_stage": f"{STAGE}_UNSPECIFIED"},
        )
    except grpc.RpcError:
        return False
    return True


def idle(world: World):
    run = world.start()
    world.turn(timer())
    return run


def completes(world: World, outcome: dict):
    def answer(task) -> None:
        messages = [accepted(task), answered(task, outcome)]
        world.complete(task, *refer("accept", "respond"), messages=messages)

    return answer


@SCENARIOS
def completed(world: World) -> None:
    run = idle(world)
    during(world, run, completes(world, {"success": payloads(b"2")}))


@SCENARIOS
def failed(world: World) -> None:
    run = idle(world)
    during(world, run, completes(world, {"failure": failure()}))


@SCENARIOS
def rejected_without_an_event(world: World) -> None:
    run = idle(world)
    during(world, run, lambda task: world.complete(task, messages=[rejected(task)]))


@SCENARIOS
def accepted_first(world: World) -> None:
    run = idle(world)

    def answer(task) -> None:
        world.complete(task, *refer("accept"), messages=[accepted(task)])

    during(world, run, answer, stage="ACCEPTED")
    world.call(
        "PollWorkflowExecutionUpdate",
        timeout=4.0,
        update_ref={"workflow_execution": run, "update_id": "u"},
        wait_policy={"lifecycle_stage": f"{STAGE}_ACCEPTED"},
    )


@SCENARIOS
def on_the_first_task(world: World) -> None:
    run = world.start()
    during(world, run, completes(world, {"success": payloads(b"2")}))


@SCENARIOS
def the_same_id_again(world: World) -> None:
    run = idle(world)
    during(world, run, completes(world, {"success": payloads(b"2")}))
    ask(world, run)


@SCENARIOS
def not_answered_by_the_worker(world: World) -> None:
    run = idle(world)
    during(world, run, lambda task: world.complete(task))


@SCENARIOS
def an_acceptance_that_nothing_asked_for(world: World) -> None:
    run = idle(world)

    def answer(task) -> None:
        message = accepted(task)
        message.protocol_instance_id = "other"
        world.complete(task, *refer("accept"), messages=[message])

    during(world, run, answer)


@SCENARIOS
def a_completion_while_an_update_is_accepted(world: World) -> None:
    run = idle(world)

    def answer(task) -> None:
        world.complete(
            task,
            *refer("accept"),
            command("COMPLETE_WORKFLOW_EXECUTION"),
            messages=[accepted(task)],
        )

    during(world, run, answer)


def refused(world: World, fields: dict) -> None:
    ask(world, world.start(), **fields)


SCENARIOS.table(
    "refused",
    {
        "no-name": {"request": {"meta": {"update_id": "u"}, "input": {}}},
        "no-input": {"request": {"meta": {"update_id": "u"}}},
        "no-request": {"request": None},
        "stage-unspecified": {"stage": "UNSPECIFIED", "timeout": 3.0},
        "stage-admitted": {"stage": "ADMITTED"},
        "foreign-first-run": {"first_execution_run_id": "3f1f4e9c-0c0e-4c39-9d50-fb8dfd3c2d6f"},
        "long-id": {"update_id": "x" * 1001},
    },
    refused,
)


@SCENARIOS
def of_a_closed_run(world: World) -> None:
    run = world.start()
    world.finish()
    ask(world, run)


@SCENARIOS
def of_nobody(world: World) -> None:
    ask(world, {"workflow_id": world.name("nobody")})


@SCENARIOS
def polled_but_unknown(world: World) -> None:
    run = world.start()
    world.call(
        "PollWorkflowExecutionUpdate",
        timeout=4.0,
        update_ref={"workflow_execution": run, "update_id": "unknown"},
    )
    world.call("PollWorkflowExecutionUpdate", timeout=4.0)


@SCENARIOS
def with_start_but_empty(world: World) -> None:
    world.call("ExecuteMultiOperation")
