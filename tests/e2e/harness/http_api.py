"""The API in JSON: requests by hand, and servers that serve it on a known port."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

from harness.server import Server, free_port

ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class HttpServer(Server):
    """A server with HTTP on a known port."""

    def __init__(self, program: str | None = None, arguments: tuple[str, ...] = ()) -> None:
        super().__init__(program=program, arguments=arguments)
        self.further = arguments
        self.http_port = free_port()

    def start(self) -> "HttpServer":
        self.http_port = free_port()
        self.arguments = ("--http-port", str(self.http_port), *self.further)
        return super().start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.http_port}"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Sends a request and gives the answer, whatever its status."""
        return ask(method, self.url + path, body, headers)


class UiServer(HttpServer):
    """A server with a web UI from a folder, on a port of its own."""

    def __init__(self, *arguments: str) -> None:
        super().__init__()
        self.ui_arguments = arguments
        self.ui_port = 0

    def start(self) -> "UiServer":
        self.ui_port = free_port()
        self.further = ("--ui-port", str(self.ui_port), *self.ui_arguments)
        return super().start()

    def _command_line(self) -> list[str]:
        return [word for word in super()._command_line() if word != "--headless"]

    @property
    def ui(self) -> str:
        return f"http://localhost:{self.ui_port}"


def ask(
    method: str, url: str, body: object = None, headers: dict[str, str] | None = None
) -> Answer:
    """Sends a request, with a body of JSON unless it is bytes, and gives the answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json"} | (headers or {})
    request = urllib.request.Request(url, data=data, headers=sent, method=method)
    try:
        response = urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, response.read())
