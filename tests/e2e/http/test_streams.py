"""Histories and lists that are sent as they change."""

import http.client
import json
import queue
import socket
import threading
from dataclasses import dataclass
from urllib.parse import quote

from harness.http_api import HttpServer
from harness.raw import Raw
from harness.sdk import unique

N = "/api/v1/namespaces/default"
START = {"workflowType": {"name": "X"}, "taskQueue": {"name": "nobody"}}


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    data: object


class Stream:
    """Reads the events of a stream as a browser does."""

    def __init__(self, server: HttpServer, path: str, last: str | None = None) -> None:
        self.connection = http.client.HTTPConnection("localhost", server.http_port, timeout=40)
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self._events: queue.Queue[Event | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for raw in self.response:
                line = raw.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    if name == "data" and name in fields:
                        value = fields[name] + "\n" + value
                    if name:
                        fields[name] = value
                elif fields:
                    data = json.loads(fields.get("data", "null"))
                    self._events.put(Event(fields.get("id", ""), fields.get("event", ""), data))
                    fields = {}
        except (OSError, http.client.HTTPException, AttributeError):
            pass
        self._events.put(None)

    def next(self, seconds: float = 30) -> Event | None:
        """The next event; None at the end."""
        return self._events.get(timeout=seconds)

    def close(self) -> None:
        if self.connection.sock:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def start(server: HttpServer, workflow_id: str) -> str:
    return server.ask("POST", f"{N}/workflows/{workflow_id}", START).json["runId"]


def history(server: HttpServer, workflow_id: str, run_id: str, last: str | None = None) -> Stream:
    path = f"/ui-api/namespaces/default/workflows/{workflow_id}/runs/{run_id}/history/stream"
    return Stream(server, path, last)


def test_a_history_is_sent_as_it_grows_and_ends_with_its_run(
    server: HttpServer, workflow_id: str
) -> None:
    run_id = start(server, workflow_id)
    stream = history(server, workflow_id, run_id)
    assert stream.response.getheader("content-type") == "text/event-stream"
    first, second = stream.next(), stream.next()
    assert [first.id, second.id] == ["1", "2"]
    assert first.name == "history"
    assert first.data["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"
    server.ask("POST", f"{N}/workflows/{workflow_id}/signal/go", {"input": ["a\nb"]})
    signaled = stream.next()
    assert signaled.id == "3"
    assert signaled.data["workflowExecutionSignaledEventAttributes"]["input"] == ["a\nb"]
    server.ask("POST", f"{N}/workflows/{workflow_id}/terminate", {})
    last = stream.next()
    assert last.data["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED"
    assert stream.next().name == "end"
    assert stream.next() is None


def test_a_stream_has_no_events_that_are_not_written(server: HttpServer, workflow_id: str) -> None:
    raw, task_queue = Raw(server.address), unique("queue")
    run_id = raw.start(task_queue, workflow_id).run_id
    task = raw.poll(task_queue)
    raw.call("RespondWorkflowTaskFailed", task_token=task.task_token, identity="raw")
    stream = history(server, workflow_id, run_id)
    assert [stream.next().id for _ in range(4)] == ["1", "2", "3", "4"]
    assert server.ask("POST", f"{N}/workflows/{workflow_id}/terminate", {}).status == 200
    assert stream.next().data["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED"
    stream.close()


def test_a_stream_goes_on_after_the_event_that_was_seen_last(
    server: HttpServer, workflow_id: str
) -> None:
    run_id = start(server, workflow_id)
    stream = history(server, workflow_id, run_id, last="1")
    assert stream.next().id == "2"
    stream.close()
    assert server.ask("POST", f"{N}/workflows/{workflow_id}/terminate", {}).status == 200
    again = history(server, workflow_id, run_id, last="2")
    assert [again.next().id, again.next().name, again.next()] == ["3", "end", None]


def test_a_stream_goes_on_where_a_page_of_the_history_ended(
    server: HttpServer, workflow_id: str
) -> None:
    run_id = start(server, workflow_id)
    page = server.ask("GET", f"{N}/workflows/{workflow_id}/history?waitNewEvent=true").json
    assert len(page["history"]["events"]) == 2
    path = f"/ui-api/namespaces/default/workflows/{workflow_id}/runs/{run_id}/history/stream"
    assert server.ask("GET", f"{path}?nextPageToken=%25").status == 400
    assert server.ask("POST", f"{N}/workflows/{workflow_id}/signal/go", {}).status == 200
    stream = Stream(server, f"{path}?nextPageToken={quote(page['nextPageToken'])}")
    assert stream.next().id == "3"
    stream.close()


def test_what_cannot_be_streamed_is_refused_as_its_call_is(server: HttpServer) -> None:
    path = "/ui-api/namespaces/default/workflows/none/runs/none/history/stream"
    answer = server.ask("GET", path)
    assert answer.status in (400, 404) and "message" in answer.json
    assert server.ask("GET", "/ui-api/namespaces/none/workflows/stream").status == 404
    odd = "/ui-api/namespaces/default/workflows/stream?query=nonsense%20is"
    assert server.ask("GET", odd).status == 400
    assert server.ask("GET", "/ui-api/nothing").status == 404


def test_a_list_is_sent_as_its_rows_change(server: HttpServer) -> None:
    kind = unique("kind")
    query = f"WorkflowType%3D%22{kind}%22"
    stream = Stream(server, f"/ui-api/namespaces/default/workflows/stream?query={query}")
    assert stream.next() == Event("", "rows", {"executions": [], "gone": []})
    workflow_id = unique("row")
    body = START | {"workflowType": {"name": kind}}
    server.ask("POST", f"{N}/workflows/{workflow_id}", body)
    (row,) = stream.next().data["executions"]
    assert row["execution"]["workflowId"] == workflow_id
    assert row["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    server.ask("POST", f"{N}/workflows/{workflow_id}/terminate", {})
    (row,) = stream.next().data["executions"]
    assert row["status"] == "WORKFLOW_EXECUTION_STATUS_TERMINATED"
    stream.close()


def test_streams_end_when_the_server_stops(workflow_id: str) -> None:
    with HttpServer() as server:
        stream = history(server, workflow_id, start(server, workflow_id))
        rows = Stream(server, "/ui-api/namespaces/default/workflows/stream")
        assert stream.next().id == "1" and rows.next().name == "rows"
        assert server.stop() == 0
        while stream.next(5) is not None:
            pass
        while rows.next(5) is not None:
            pass


def test_streams_are_bounded(server: HttpServer) -> None:
    streams = []
    try:
        for _ in range(300):
            stream = Stream(server, "/ui-api/namespaces/default/workflows/stream?pageSize=1")
            streams.append(stream)
            if stream.response.status != 200:
                break
        assert streams[-1].response.status == 429
        assert len(streams) <= 257
    finally:
        for stream in streams:
            stream.close()
