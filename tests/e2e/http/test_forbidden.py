"""What an operator forbids the web UI, its API refuses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from harness.http_api import Answer, UiServer, ask
from harness.sdk import unique

N = "/api/v1/namespaces/default"
START = {"workflowType": {"name": "X"}, "taskQueue": {"name": "nobody"}}


@contextmanager
def forbidding(**variables: str) -> Iterator[UiServer]:
    server = UiServer()
    with patch.dict(os.environ, variables):
        server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def read_only() -> Iterator[UiServer]:
    with forbidding(TEMPORAL_DISABLE_WRITE_ACTIONS="true") as server:
        yield server


@pytest.fixture(scope="module")
def limited() -> Iterator[UiServer]:
    with forbidding(
        TEMPORAL_WORKFLOW_TERMINATE_DISABLED="true", TEMPORAL_ACTIVITY_COMMANDS_DISABLED="1"
    ) as server:
        yield server


def through_ui(server: UiServer, method: str, path: str, body: object = None) -> Answer:
    return ask(method, server.ui + path, body)


def assert_forbidden(answer: Answer) -> None:
    # As the reference's UI server says it.
    assert (answer.status, answer.body) == (405, b'{"message":"Method Not Allowed"}\n')
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{N}/workflows/w"),
        ("POST", f"{N}/workflows/w/terminate"),
        ("POST", f"{N}/schedules/s"),
        ("DELETE", f"{N}/schedules/s"),
        ("POST", f"{N}/batch-operations/b"),
        ("POST", "/api/v1/namespaces"),
        ("POST", "/api/v1/nexus/endpoints"),
        ("DELETE", "/api/v1/nexus/endpoints/e"),
        ("POST", "/api/v1/no-such-path"),
    ],
)
def test_nothing_is_written_when_all_writes_are_forbidden(
    read_only: UiServer, method: str, path: str
) -> None:
    assert_forbidden(through_ui(read_only, method, path, START if method == "POST" else None))


def test_reading_and_asking_a_workflow_go_on(read_only: UiServer) -> None:
    assert through_ui(read_only, "GET", f"{N}/workflows").status == 200
    query = {"query": {"queryType": "q"}}
    answer = through_ui(read_only, "POST", f"{N}/workflows/none/query/q", query)
    assert (answer.status, answer.json["code"]) == (404, 5)
    settings = through_ui(read_only, "GET", "/api/v1/settings").json
    assert settings["DisableWriteActions"] is True


def test_the_api_on_its_own_port_is_not_the_ui(read_only: UiServer) -> None:
    assert read_only.ask("POST", f"{N}/workflows/{unique('api')}", START).status == 200


def test_one_action_is_forbidden_and_others_are_not(limited: UiServer) -> None:
    workflow = unique("limited")
    at = f"{N}/workflows/{workflow}"
    assert through_ui(limited, "POST", at, START).status == 200
    assert_forbidden(through_ui(limited, "POST", f"{at}/terminate", {"reason": "no"}))
    assert_forbidden(through_ui(limited, "POST", f"{N}/activities/a/cancel", {}))
    shown = through_ui(limited, "GET", at).json["workflowExecutionInfo"]
    assert shown["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    assert through_ui(limited, "POST", f"{at}/signal/go", {}).status == 200
    assert through_ui(limited, "POST", f"{at}/cancel", {}).status == 200


def test_what_is_forbidden_for_one_workflow_is_forbidden_for_many(limited: UiServer) -> None:
    def batch(operation: str) -> Answer:
        body = {"reason": "r", "visibilityQuery": "WorkflowType = 'Nobody'", operation: {}}
        return through_ui(limited, "POST", f"{N}/batch-operations/{unique('job')}", body)

    assert_forbidden(batch("terminationOperation"))
    assert batch("cancellationOperation").status == 200
