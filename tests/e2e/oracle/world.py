"""What a scenario acts on: one server, names of its own, and the record of every answer."""

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable

import grpc
from google.protobuf import symbol_database
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import GrpcStatus, WorkflowExecution
from temporalio.api.enums.v1 import CommandType
from temporalio.api.errordetails.v1 import message_pb2 as _known_details  # noqa: F401
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages

from harness.raw import AS_CLI, Raw
from oracle.normal import plain, text

POLL_SECONDS = 6.0
PATIENCE_SECONDS = 8.0
RUNS_FOLLOWED = 6
"""How many runs beside those that it started itself a scenario's record shows."""


def command(kind: str, **attributes: object) -> Command:
    """A command; `kind` is the name of its type without the prefix."""
    made = Command(command_type=CommandType.Value(f"COMMAND_TYPE_{kind}"))
    target = getattr(made, f"{kind.lower()}_command_attributes")
    target.CopyFrom(type(target)(**attributes))
    return made


ALONE: defaultdict[tuple[int, str], threading.Lock] = defaultdict(threading.Lock)


class World:
    """A scenario's view of one server."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.tag = uuid.uuid4().hex[:12]
        self.queue = f"queue-{self.tag}"
        self.record: list[tuple[str, object]] = []
        self.unimplemented: set[str] = set()
        self._runs: dict[str, WorkflowExecution] = {}
        self._started: list[WorkflowExecution] = []

    def name(self, word: str = "workflow") -> str:
        """A name that no other scenario and no other run of this one uses."""
        return f"{word}-{self.tag}"

    def alone(self, what: str) -> threading.Lock:
        """Held by the one scenario at a time that may do this on the server."""
        return ALONE[id(self.raw), what]

    # Calls. Each records its answer, and gives it back, or None when it was refused.

    def call(self, method: str, note: str = "", silent: bool = False, **fields: object):
        """Calls the workflow service."""
        return self._call(note or method, method, silent, self.raw.call, fields)

    def operator(self, method: str, note: str = "", **fields: object):
        """Calls the operator service."""

        def call(method: str, timeout: float = 10.0, **fields: object) -> Message:
            request = getattr(operator_messages, f"{method}Request")(**fields)
            return getattr(self.raw.operator, method)(request, timeout=timeout)

        return self._call(note or method, method, False, call, fields)

    def start(self, **fields: object) -> WorkflowExecution | None:
        """Starts a workflow, by default of the scenario's one id, and follows its run."""
        fields = {
            "workflow_id": self.name(),
            "workflow_type": {"name": "workflow"},
            "task_queue": {"name": self.queue},
            "request_id": str(uuid.uuid4()),
        } | fields
        answer = self.call("StartWorkflowExecution", **fields)
        return self.follow(fields["workflow_id"], answer.run_id) if answer else None

    def follow(self, workflow_id: str, run_id: str) -> WorkflowExecution:
        """Includes a run in what is recorded when the scenario has ended."""
        run = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        if run_id not in self._runs:
            self._runs[run_id] = run
            self._started.append(run)
        return run

    def poll(self, queue: str = "", seconds: float = POLL_SECONDS, **fields: object):
        """A workflow task; None when none came."""
        fields = {"task_queue": {"name": queue or self.queue}} | fields
        task = self.call("PollWorkflowTaskQueue", timeout=seconds, **fields)
        return task if task and task.task_token else None

    def poll_activity(self, queue: str = "", seconds: float = POLL_SECONDS):
        """An activity task; None when none came."""
        fields = {"task_queue": {"name": queue or self.queue}}
        task = self.call("PollActivityTaskQueue", timeout=seconds, **fields)
        return task if task and task.task_token else None

    def complete(self, task, *commands: Command, **fields: object):
        """Completes a workflow task."""
        fields = {"task_token": task.task_token if task else b"", "commands": commands} | fields
        return self.call("RespondWorkflowTaskCompleted", **fields)

    def turn(self, *commands: Command, **fields: object):
        """Takes the next workflow task and completes it."""
        return self.complete(self.poll(), *commands, **fields)

    def finish(self, result: bytes = b"1"):
        """Takes the next workflow task and completes the run."""
        return self.turn(command("COMPLETE_WORKFLOW_EXECUTION", result=payloads(result)))

    def on(self, method: str, run: WorkflowExecution | None, **fields: object):
        """Calls a method about a run, whatever it calls the field."""
        request = _request_fields(method)
        field = "workflow_execution" if "workflow_execution" in request else "execution"
        if run is not None:
            fields = {field: run} | fields
        return self.call(method, **fields)

    # Conditions.

    def wait(
        self,
        look: Callable[[], bool],
        what: str = "condition",
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Returns once `look` answers true; a condition that never comes is recorded."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if look():
                return
            time.sleep(0.05)
        self.record.append((f"waited in vain for {what}", True))

    def wait_for_event(self, run: WorkflowExecution | None, name: str, count: int = 1) -> None:
        """Returns once the run's history holds `count` events of this type."""
        if run is None:
            return

        def there() -> bool:
            names = [plain(event, str)["event_type"] for event in self.events(run)]
            return names.count(f"EVENT_TYPE_{name}") >= count

        self.wait(there, name)

    def events(self, run: WorkflowExecution) -> list:
        """The events that are written."""
        try:
            return self.raw.history(run)
        except grpc.RpcError:
            return []

    # The record.

    def finish_record(self) -> list[tuple[str, object]]:
        """Adds histories and descriptions of the runs that the scenario made."""
        for run in self._started:
            self._record_run(run)
            if len(self._started) <= RUNS_FOLLOWED:
                self._follow_events(run)
        return self.record

    def _record_run(self, run: WorkflowExecution) -> None:
        label = f"run {self._started.index(run) + 1}"
        for event in self.events(run):
            event_type = plain(event, self._rename).pop("event_type")
            place = f"{label} event {event.event_id} {event_type.removeprefix('EVENT_TYPE_')}"
            self.record.append((place, plain(event, self._rename)))
        self.on("DescribeWorkflowExecution", run, note=f"{label} described")

    def _follow_events(self, run: WorkflowExecution) -> None:
        for event in self.events(run):
            attributes = getattr(event, event.WhichOneof("attributes"), None)
            successor = getattr(attributes, "new_execution_run_id", "")
            if successor:
                self.follow(run.workflow_id, successor)
            if (
                event.WhichOneof("attributes")
                == "child_workflow_execution_started_event_attributes"
            ):
                child = attributes.workflow_execution
                self.follow(child.workflow_id, child.run_id)

    def _call(self, note, method, silent, caller, fields):
        metadata = {"metadata": AS_CLI} if method == "GetWorkflowExecutionHistory" else {}
        try:
            answer = caller(method, **metadata, **fields)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                self.unimplemented.add(method)
            self.record.append((note, self._refusal(error)))
            return None
        if not silent:
            self.record.append((note, plain(answer, self._rename)))
        return answer

    def _refusal(self, error: grpc.RpcError) -> dict:
        code = error.code().name
        # Who notices first that the time is over, client or server, is chance.
        words = "" if code == "DEADLINE_EXCEEDED" else error.details() or ""
        refused = {"code": code, "text": text(words, self._rename)}
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                refused["details"] = [
                    self._detail(detail) for detail in GrpcStatus.FromString(value).details
                ]
        return refused

    def _detail(self, detail) -> object:
        name = detail.TypeName()
        message = symbol_database.Default().GetSymbol(name)()
        detail.Unpack(message)
        return {name: plain(message, self._rename)}

    def _rename(self, value: str) -> str:
        for number, run in enumerate(self._started, start=1):
            value = value.replace(run.run_id, f"<run {number}>")
        return value.replace(self.tag, "<own>")


def payloads(*values: bytes) -> dict:
    """Payloads of JSON texts."""
    return {"payloads": [payload(value) for value in values]}


def payload(value: bytes) -> dict:
    """A payload of JSON text."""
    return {"metadata": {"encoding": b"json/plain"}, "data": value}


def seconds(number: float) -> dict:
    """A duration."""
    return {"seconds": int(number), "nanos": round(number % 1 * 1e9)}


def failure(message: str = "broken", **fields: object) -> dict:
    """A failure of the application."""
    return {"message": message, "application_failure_info": {"type": "Broken"} | fields}


def _request_fields(method: str) -> Iterable[str]:
    return getattr(messages, f"{method}Request").DESCRIPTOR.fields_by_name
