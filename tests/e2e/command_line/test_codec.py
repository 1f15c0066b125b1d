"""Payloads through a codec server."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness.command_line import Cli
from harness.raw import Raw, complete_workflow


class Handler(BaseHTTPRequestHandler):
    """Turns the bytes of payloads round."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers))
        for payload in body["payloads"]:
            data = base64.b64decode(payload.get("data", ""))
            payload["data"] = base64.b64encode(data[::-1]).decode()
            mark = payload["metadata"].pop("turned", None)
            if self.path.endswith("/encode"):
                payload["metadata"]["turned"] = base64.b64encode(b"yes").decode()
            elif mark is None:
                payload["data"] = base64.b64encode(data).decode()
        answer = json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def codec():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def through(codec) -> list[str]:
    return ["--codec-endpoint", f"http://127.0.0.1:{codec.server_port}/{{namespace}}"]


def test_payloads_are_encoded_for_the_server_and_decoded_for_the_reader(
    ours: Cli, theirs: Cli, raw: Raw, codec, queue: str, workflow_id: str
):
    words = ["workflow", "start", "--type", "x", "-t", queue, "-w", workflow_id]
    secret = ["-i", '"secret"', "--memo", "note=12", *through(codec)]
    headers = ["--codec-auth", "Bearer t", "--codec-header", "X-Mine=1"]
    ours.text(*words, *secret, *headers)
    task = raw.poll(queue)
    data = task.history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data
    assert data == b'"terces"'
    raw.complete(task, complete_workflow(b"42"))
    for cli in (ours, theirs):
        shown = cli.json("workflow", "show", "-w", workflow_id, *through(codec))
        started = shown["events"][0]["workflowExecutionStartedEventAttributes"]
        sent = started["input"]["payloads"][0]
        assert base64.b64decode(sent["data"]) == b'"secret"'
        described = cli.json("workflow", "describe", "-w", workflow_id, *through(codec))
        assert described["workflowExecutionInfo"]["memo"]["fields"]["note"] == 12
    path, sent = codec.seen[0]
    assert path == "/default/encode"
    assert (sent["X-Namespace"], sent["Authorization"], sent["X-Mine"]) == (
        "default",
        "Bearer t",
        "1",
    )


def test_a_codec_server_that_refuses_is_named(ours: Cli, codec, queue: str, workflow_id: str):
    codec.status = 403
    words = ["workflow", "start", "--type", "x", "-t", queue, "-w", workflow_id, "-i", "1"]
    done = ours.run(*words, *through(codec))
    assert done.returncode == 12
    assert "codec server: encode: answered 403" in done.stderr


def test_a_codec_server_of_the_samples_is_one_for_both(
    ours: Cli, theirs: Cli, raw: Raw, samples_server, queue: str, workflow_id: str
):
    words = ["workflow", "start", "--type", "x", "-t", queue, "-w", workflow_id]
    ours.text(*words, "-i", '"secret"', "--memo", "note=12", *through(samples_server))
    task = raw.poll(queue)
    sealed = task.history.events[0].workflow_execution_started_event_attributes.input.payloads[0]
    assert sealed.metadata["encoding"] == b"binary/encrypted" and b"secret" not in sealed.data
    raw.complete(task, complete_workflow(b"42"))
    shown = [
        cli.json("workflow", "show", "-w", workflow_id, *through(samples_server))
        for cli in (ours, theirs)
    ]
    started = shown[0]["events"][0]["workflowExecutionStartedEventAttributes"]
    assert base64.b64decode(started["input"]["payloads"][0]["data"]) == b'"secret"'
    assert shown[0] == shown[1]
