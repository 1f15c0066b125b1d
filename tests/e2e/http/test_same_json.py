"""The API in JSON answers as the reference does: the same requests to both, the same JSON back."""

import re
from collections.abc import Iterator

import pytest

from harness.command_line import REFERENCE
from harness.http_api import HttpServer

N = "/api/v1/namespaces/default"
W = N + "/workflows/one"
TEXT = "dGV4dC9wbGFpbg=="
START = {
    "workflowType": {"name": "Greet"},
    "taskQueue": {"name": "nobody"},
    "input": ["one", {"two": [2, None]}, None, {"_protoMessageType": "a.B", "c": "d"}],
    "memo": {"fields": {"note": {"a": 1}}},
    "searchAttributes": {"indexedFields": {"CustomIntField": 7}},
    "userMetadata": {"summary": "short"},
    "workflowRunTimeout": "600s",
    "identity": "me",
    "requestId": "request",
}
FULL = {
    "workflowType": {"name": "Greet"},
    "taskQueue": {"name": "nobody"},
    "workflowIdReusePolicy": "RejectDuplicate",
    "input": {"payloads": [{"metadata": {"encoding": TEXT}, "data": "aGk="}]},
    "identity": "me",
}
SCHEDULE = {
    "schedule": {
        "spec": {"interval": [{"interval": "3600s"}]},
        "action": {
            "startWorkflow": {
                "workflowId": "s",
                **{name: START[name] for name in ("workflowType", "taskQueue", "input")},
            }
        },
        "state": {"paused": True, "notes": "not yet"},
    },
    "identity": "me",
    "requestId": "schedule",
}

CALLS = [
    ("GET", N, None),
    ("GET", "/cluster/namespaces/default", None),
    ("GET", "/api/v1/namespaces/none", None),
    ("GET", "/api/v1/nothing", None),
    ("PUT", "/api/v1/namespaces", None),
    ("POST", W, START),
    ("POST", W, START | {"requestId": "another"}),
    ("POST", N + "/workflows/two", FULL),
    ("POST", N + "/workflows/three", b"{"),
    ("POST", N + "/workflows/three", {"nothing": 1}),
    ("POST", N + "/workflows/three", {}),
    ("POST", N + "/workflows/three", b""),
    ("GET", W, None),
    ("GET", "/namespaces/default/workflows/one", None),
    ("GET", W + "?noPayloadShorthand", None),
    ("GET", W + "?pretty", None),
    ("GET", N + "/workflows/none", None),
    ("GET", W + "?execution.runId=not-a-run", None),
    ("GET", W + "/history", None),
    ("GET", W + "/history?noPayloadShorthand&pretty", None),
    ("GET", W + "/history?maximumPageSize=1", None),
    ("GET", W + "/history?historyEventFilterType=HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT", None),
    ("GET", W + "/history-reverse?maximum_page_size=5", None),
    ("GET", N + "/workflows/two/history", None),
    ("POST", W + "/signal/go", {"input": [1, "two"], "identity": "me", "requestId": "s"}),
    ("POST", W + "/signal/go", {"input": "not a list"}),
    ("POST", N + "/workflows/none/signal/go", {}),
    ("POST", N + "/workflows/four/signal-with-start/go", START | {"signalInput": [1]}),
    ("POST", W + "/cancel", {"reason": "enough", "identity": "me", "requestId": "c"}),
    ("POST", W + "/terminate", {"reason": "enough", "identity": "me"}),
    ("POST", W + "/terminate", {"reason": "enough", "identity": "me"}),
    ("GET", W, None),
    ("GET", W + "/history", None),
    ("GET", N + "/workflows?pageSize=x", None),
    ("GET", N + "/workflows?pageSize=1&pageSize=2", None),
    ("GET", N + "/workflows?query=nonsense%20is", None),
    ("GET", N + "/workflows?query=WorkflowId%3D%22one%22", None),
    (
        "GET",
        N + "/workflow-count?query=WorkflowType%3D%22Greet%22%20GROUP%20BY%20ExecutionStatus",
        None,
    ),
    ("GET", N + "/task-queues/nobody?taskQueueType=1", None),
    (
        "GET",
        N + "/task-queues/nobody?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY&reportStats=true",
        None,
    ),
    ("GET", N + "/task-queues/nobody?taskQueueType=SOME", None),
    ("GET", N + "/search-attributes", None),
    ("POST", N + "/schedules/s", SCHEDULE),
    ("POST", N + "/schedules/s", SCHEDULE | {"requestId": "another"}),
    ("GET", N + "/schedules/s", None),
    ("GET", N + "/schedules/none", None),
    ("POST", N + "/schedules/s/patch", {"patch": {"pause": "later"}}),
    ("DELETE", N + "/schedules/s", None),
    ("DELETE", N + "/schedules/none", None),
    ("GET", N + "/batch-operations", None),
    ("GET", N + "/batch-operations/none", None),
    ("GET", N + "/archived-workflows", None),
    ("GET", N + "/worker-deployments", None),
    ("GET", N + "/worker-deployments/none", None),
    ("GET", N + "/workers", None),
    ("GET", "/api/v1/nexus/endpoints", None),
    ("GET", "/api/v1/nexus/endpoints/none", None),
    (
        "POST",
        "/api/v1/nexus/endpoints",
        {"spec": {"name": "e", "target": {"external": {"url": "x"}}}},
    ),
    (
        "POST",
        "/api/v1/namespaces",
        {"namespace": "n2", "workflowExecutionRetentionPeriod": "86400s"},
    ),
    (
        "POST",
        "/api/v1/namespaces",
        {"namespace": "n2", "workflowExecutionRetentionPeriod": "86400s"},
    ),
    ("POST", "/api/v1/namespaces", {"namespace": "n3", "workflowExecutionRetentionPeriod": "1s"}),
    ("POST", N + "/activities/none/complete", {"result": [1]}),
    ("POST", N + "/activity-complete", {"taskToken": "bm8="}),
    ("GET", N + "/workflow-rules", None),
    (
        "POST",
        N + "/activities/a",
        {
            "activityType": {"name": "A"},
            "taskQueue": {"name": "nobody"},
            "startToCloseTimeout": "9s",
            "requestId": "a",
        },
    ),
    ("GET", N + "/activities/a", None),
]

OWN = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    r"|@[\w.-]+"
)
"""Ids, times and hosts, which are each server's own."""

OWN_VALUES = {
    "capabilities",
    "conflictToken",
    "customSearchAttributeAliases",
    "executionDuration",
    "historySizeBytes",
    "link",
    "longPollToken",
    "nextPageToken",
    "replicationConfig",
    "requestsPerSecond",
    "stateSizeBytes",
    "stateTransitionCount",
    "taskId",
}
"""What a server is, how it counts, and what only it can read."""


def normal(value: object) -> object:
    """A value without what is each server's own."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in OWN_VALUES}
        return {name: normal(inner) for name, inner in kept.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    return OWN.sub("*", value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[HttpServer, HttpServer]]:
    with HttpServer() as ours, HttpServer(program=str(REFERENCE)) as theirs:
        yield ours, theirs


def test_the_same_requests_have_the_same_answers(servers: tuple[HttpServer, HttpServer]) -> None:
    differences = []
    for method, path, body in CALLS:
        ours, theirs = (server.ask(method, path, body) for server in servers)
        told = f"{method} {path} {body}"
        if ours.status != theirs.status:
            differences.append(
                f"{told}\n  ours   {ours.status} {ours.body[:600]}\n"
                f"  theirs {theirs.status} {theirs.body[:600]}"
            )
            continue
        assert ours.headers["content-type"].startswith("application/json")
        one, other = normal(ours.json), normal(theirs.json)
        if ours.status == 400 and one.get("code") == 3 and "details" not in other:
            # What is wrong with JSON or a query each library says in words of its own.
            one.pop("message"), other.pop("message")
        if one != other:
            differences.append(f"{told}\n  ours   {one}\n  theirs {other}")
    assert not differences, "\n".join(differences)
