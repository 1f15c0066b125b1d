"""The world outside of a server, over HTTP: handlers of Nexus operations, and their callers."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness.server import Server, free_port

ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back, or goes back; names of headers are in lower case."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))

    @property
    def json(self):
        return json.loads(self.body)


def json_answer(status: int, value: object, **headers: str) -> Answer:
    """An answer whose body is JSON; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, {"content-type": "application/json"} | named, json.dumps(value).encode())


def post(url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Sends a request and gives the answer, whatever its status."""
    sent = {"content-type": "application/json"} | (headers or {})
    request = urllib.request.Request(url, data=body, headers=sent, method="POST")
    try:
        response = urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, response.read())


class Outside:
    """A server outside: keeps what comes, and answers as it is told."""

    def __init__(self, answer: Callable[[Request], Answer] | None = None) -> None:
        self.answer = answer or (lambda request: Answer())
        self.requests: list[Request] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = Request(
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self._body(),
                )
                outside.requests.append(request)
                answer = outside.answer(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("transfer-encoding", ""):
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                body = b""
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Outside":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class OpenServer(Server):
    """A server with HTTP on a known port, whose users may name any address in callbacks."""

    def __init__(self, db_filename: Path | None = None) -> None:
        self.http = f"http://127.0.0.1:{free_port()}"
        template = f'"{self.http}/namespaces/{{{{.NamespaceName}}}}/nexus/callback"'
        values = {
            "callback.allowedAddresses": '[{"Pattern":"*","AllowInsecure":true}]',
            "component.callbacks.allowedAddresses": '[{"Pattern":"*","AllowInsecure":true}]',
            "component.nexusoperations.callback.endpoint.template": template,
            "nexusoperation.callback.endpoint.template": template,
        }
        arguments = ["--http-port", self.http.rpartition(":")[2]]
        for key, value in values.items():
            arguments += ["--dynamic-config-value", f"{key}={value}"]
        super().__init__(db_filename, arguments=tuple(arguments))
