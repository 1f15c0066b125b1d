"""Calls that a server refuses, as data: how to make each one and what the refusal says."""

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution

from harness.raw import start_fields
from harness.sdk import unique

OVERSIZE = b"x" * (2 * 1024 * 1024 + 1)
LONG = "x" * 1001
UNKNOWN_RUN = "6e6c9b5e-5c0e-4c3b-8d4e-0f7d4c1f0a11"

INVALID = "INVALID_ARGUMENT"
NOT_FOUND = "NOT_FOUND"
NOT_FOUND_DETAIL = "NotFoundFailure"


@dataclass
class Scene:
    """Runs and tokens that refused calls refer to."""

    queue: str
    open: WorkflowExecution
    closed: WorkflowExecution
    busy: WorkflowExecution
    stale_workflow_task: bytes
    activity_task: bytes
    nobody: WorkflowExecution


def seconds(number: int) -> Duration:
    return Duration(seconds=number)


@dataclass
class Case:
    """One refused call; `text` may name the scene's runs."""

    name: str
    method: str
    fields: Callable[[Scene], dict]
    code: str
    text: str
    detail: str | None = None


def start(name: str, text: str, code: str = INVALID, detail: str | None = None, **fields) -> Case:
    """A start that is refused for one field."""

    def complete(scene: Scene) -> dict:
        return start_fields(scene.queue, **{"workflow_id": unique("refused")} | fields)

    return Case(f"start: {name}", "StartWorkflowExecution", complete, code, text, detail)


def call(name, method, text, code=INVALID, detail=None, **fields) -> Case:
    """A call with fields that need no scene."""
    return Case(f"{method}: {name}", method, lambda _: fields, code, text, detail)


def on(name, method, text, fields, code=NOT_FOUND, detail=NOT_FOUND_DETAIL) -> Case:
    """A call about something in the scene."""
    return Case(f"{method}: {name}", method, fields, code, text, detail)


def one_execution(method: str, field: str, extra: dict, checks_run_id: bool = True) -> list[Case]:
    """What every call about one run refuses alike."""
    cases = [
        call("no execution", method, "Execution is not set on request.", **extra),
        call(
            "no workflow id",
            method,
            "WorkflowId is not set on request.",
            **{field: WorkflowExecution()},
            **extra,
        ),
        call(
            "malformed run id",
            method,
            "Invalid RunId.",
            **{field: WorkflowExecution(workflow_id="x", run_id="not-a-uuid")},
            **extra,
        ),
        on(
            "unknown workflow",
            method,
            "workflow not found for ID: {nobody}",
            lambda scene: {field: scene.nobody} | extra,
        ),
        call(
            "unknown namespace",
            method,
            "Namespace nowhere is not found.",
            NOT_FOUND,
            "NamespaceNotFoundFailure",
            namespace="nowhere",
            **{field: WorkflowExecution(workflow_id="x")},
            **extra,
        ),
    ]
    return cases


def one_token(method: str) -> list[Case]:
    """What every call with a task token refuses alike."""
    return [
        call("no token", method, "Task token not set on request."),
        call("garbage", method, "Error deserializing task token.", task_token=b"garbage"),
        call("truncated", method, "Error deserializing task token.", task_token=b"\x0a\xff"),
    ]
