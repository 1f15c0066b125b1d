"""Temporal's own web UI on this server: its files are taken from the reference when the test runs,
served here, and every request that its views make is answered without an error."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.http_api import UiServer, ask
from harness.official_ui import put_into
from harness.sdk import unique

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("official")
    assert put_into(folder) > 300
    return folder


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[UiServer]:
    with UiServer("--ui-asset-path", str(bundle)) as server:
        yield server


def test_its_files_are_served_as_they_are(served: UiServer, bundle: Path) -> None:
    files = [file for file in bundle.rglob("*") if file.is_file()]
    for file in files:
        path = "/" + file.relative_to(bundle).as_posix()
        answer = ask("GET", served.ui + path)
        assert (answer.status, answer.body) == (200, file.read_bytes()), path
        if "/immutable/" in path:
            assert "immutable" in answer.headers["cache-control"]
    for view in ("/", "/namespaces/default/workflows/a.b/c/history", "/nexus"):
        answer = ask("GET", served.ui + view, headers=PAGE)
        assert answer.body == (bundle / "index.html").read_bytes(), view


N = "/api/v1/namespaces/default"


def counted(query: str) -> str:
    return f"{N}/workflow-count?query={quote(query)}"


def listed(query: str) -> str:
    return f"{N}/workflows?pageSize=100&nextPageToken=&query={quote(query)}"


def test_what_its_views_ask_is_answered(served: UiServer) -> None:
    queue, workflow = unique("queue"), unique("workflow")

    def good(method: str, path: str, body: object = None) -> dict:
        # It says text/plain of what it sends.
        headers = {
            "Caller-Type": "operator",
            "Content-Type": "text/plain;charset=UTF-8",
            "Origin": served.ui,
            "Sec-Fetch-Site": "same-origin",
            "X-CSRF-Token": "",
        }
        answer = ask(method, served.ui + path, body, headers)
        assert answer.status < 400, f"{method} {path}: {answer.status} {answer.body[:300]}"
        return answer.json

    start = {
        "workflowId": workflow,
        "workflowType": {"name": "Shown"},
        "taskQueue": {"name": queue},
        "input": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]},
    }
    of_queue, running = quote(f'TaskQueue="{queue}"'), quote('WorkerStatus="Running"')
    run = good("POST", f"{N}/workflows/{workflow}", start)["runId"]
    execution = f"execution.runId={run}"
    schedule = unique("schedule")
    action = {
        "startWorkflow": {
            "workflowId": "s",
            "workflowType": {"name": "S"},
            "taskQueue": {"name": queue},
        }
    }
    made = {
        "requestId": schedule,
        "schedule": {"spec": {"interval": [{"interval": "60s"}]}, "action": action},
    }
    for method, path, body in [
        # Every page.
        ("GET", "/api/v1/settings", None),
        ("GET", "/api/v1/namespaces", None),
        ("GET", "/api/v1/cluster-info", None),
        ("GET", "/api/v1/system-info", None),
        ("GET", N, None),
        ("GET", f"{N}/search-attributes", None),
        # The list.
        ("GET", f"{N}/workflows?pageSize=1", None),
        ("GET", counted("GROUP BY ExecutionStatus"), None),
        ("GET", counted('`WorkflowType`="Shown" GROUP BY ExecutionStatus'), None),
        (
            "GET",
            counted(
                'ExecutionStatus="Running" AND TemporalReportedProblems IN '
                '("category=WorkflowTaskFailed", "category=WorkflowTaskTimedOut")'
            ),
            None,
        ),
        ("GET", listed(""), None),
        ("GET", listed('`ExecutionStatus`="Running"'), None),
        # A workflow.
        ("GET", f"{N}/workflows/{workflow}?{execution}", None),
        ("GET", f"{N}/task-queues/{queue}?taskQueueType=1", None),
        ("GET", f"{N}/task-queues/{queue}?taskQueueType=2", None),
        ("GET", f"{N}/task-queues/{queue}?taskQueueType=3", None),
        ("GET", f"{N}/worker-count?query={of_queue}", None),
        (
            "GET",
            f"{N}/workflows/{workflow}/history?{execution}&maximumPageSize=1000&waitNewEvent=false",
            None,
        ),
        ("GET", f"{N}/workflows/{workflow}/history-reverse?{execution}&maximumPageSize=1000", None),
        ("GET", listed(f'RootWorkflowId = "{workflow}" AND RootRunId = "{run}"'), None),
        (
            "GET",
            counted(
                f'RootWorkflowId = "{workflow}" AND RootRunId = "{run}" GROUP BY ExecutionStatus'
            ),
            None,
        ),
        ("GET", f"{N}/workers?pageSize=100&query={of_queue}", None),
        (
            "POST",
            f"{N}/workflows/{workflow}/signal/go",
            {"signalName": "go", "workflowExecution": {"workflowId": workflow, "runId": run}},
        ),
        ("POST", f"{N}/workflows/{workflow}/pause", {"reason": "shown"}),
        ("POST", f"{N}/workflows/{workflow}/unpause", {"reason": "shown"}),
        ("POST", f"{N}/workflows/{workflow}/cancel?{execution}", {}),
        # Schedules.
        ("POST", f"{N}/schedules/{schedule}", made),
        ("GET", f"{N}/schedule-count", None),
        ("GET", f"{N}/schedules?maximumPageSize=100", None),
        ("GET", f"{N}/schedules/{schedule}", None),
        (
            "GET",
            listed(
                f'TemporalScheduledById="{schedule}" AND WorkflowId in ("s") '
                'AND ExecutionStatus != "ContinuedAsNew"'
            ),
            None,
        ),
        ("GET", counted(f'TemporalScheduledById="{schedule}" GROUP BY ExecutionStatus'), None),
        ("POST", f"{N}/schedules/{schedule}/update", made),
        ("POST", f"{N}/schedules/{schedule}/patch", {"patch": {"triggerImmediately": {}}}),
        ("DELETE", f"{N}/schedules/{schedule}", None),
        # Batches, workers, and what runs by itself.
        (
            "POST",
            f"{N}/batch-operations/{unique('job')}",
            {
                "namespace": "default",
                "reason": "shown",
                "visibilityQuery": 'WorkflowType="Nobody"',
                "terminationOperation": {"identity": "me"},
            },
        ),
        ("GET", f"{N}/batch-operations", None),
        ("GET", f"{N}/workers", None),
        ("GET", f"{N}/worker-count?query={running}", None),
        ("GET", f"{N}/worker-deployments", None),
        ("GET", f"{N}/activities?pageSize=100", None),
        ("GET", f"{N}/activity-count", None),
        ("GET", f"{N}/nexus-operations?pageSize=100", None),
        ("GET", f"{N}/nexus-operation-count", None),
        ("GET", "/api/v1/nexus/endpoints", None),
        ("POST", f"{N}/workflows/{workflow}/terminate?{execution}", {"reason": ""}),
    ]:
        good(method, path, body)
    history = good("GET", f"{N}/workflows/{workflow}/history?{execution}")["history"]["events"]
    given = history[0]["workflowExecutionStartedEventAttributes"]["input"]
    assert given == start["input"]
    whole = good("GET", f"{N}/workflows/{workflow}/run/{run}/history.json")
    assert whole["events"] == history


def test_its_long_poll_ends_with_a_token(served: UiServer) -> None:
    workflow = unique("workflow")
    start = {"workflowType": {"name": "Shown"}, "taskQueue": {"name": unique("queue")}}
    ask("POST", f"{served.ui}{N}/workflows/{workflow}", start)
    path = f"{served.ui}{N}/workflows/{workflow}/history?waitNewEvent=true"
    token = ask("GET", path).json["nextPageToken"]
    began = time.monotonic()
    waited = ask("GET", f"{path}&next_page_token={quote(token)}")
    assert waited.status == 200 and waited.json["nextPageToken"]
    assert 15 < time.monotonic() - began < 25
