"""What the HTTP server refuses before anything is called."""

import json
import socket

import pytest

from harness.http_api import Answer, HttpServer, ask
from harness.sdk import unique

N = "/api/v1/namespaces/default"


def raw(server: HttpServer, text: str) -> bytes:
    """Sends bytes by hand and gives all that comes back."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=20) as connection:
        connection.sendall(text.encode())
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def get(server: HttpServer, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.ask("GET", N, None, named)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7243", "localhost.evil.example", ""]
)
def test_a_page_cannot_use_a_name_of_its_own_for_the_server(server: HttpServer, host: str) -> None:
    answer = get(server, Host=host)
    assert (answer.status, answer.json) == (403, {"code": 7, "message": "Host not allowed"})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]", "a.localhost"])
def test_loopback_names_and_addresses_are_good(server: HttpServer, host: str) -> None:
    assert get(server, Host=host).status == 200


def test_named_hosts_are_taken() -> None:
    allowed = ("--dynamic-config-value", 'frontend.httpAllowedHosts=["good.example"]')
    with HttpServer(arguments=allowed) as server:
        assert get(server, Host="good.example").status == 200
        assert get(server, Host="evil.example").status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_pages_of_other_origins_are_refused(server: HttpServer, origin: str) -> None:
    answer = get(server, Origin=origin)
    assert (answer.status, answer.json["code"]) == (403, 7)
    assert "access-control-allow-origin" not in answer.headers
    preflight = server.ask("OPTIONS", N, None, {"Origin": origin})
    assert "access-control-allow-origin" not in preflight.headers and preflight.status >= 400


def test_a_form_of_another_page_starts_nothing(server: HttpServer) -> None:
    workflow = f"{N}/workflows/{unique('form')}"
    body = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}}
    headers = {"Content-Type": "text/plain", "Origin": "http://evil.example"}
    assert server.ask("POST", workflow, body, headers).status == 403
    assert server.ask("GET", workflow).status == 404


def test_the_server_s_own_pages_may_ask(server: HttpServer) -> None:
    assert get(server, Origin=server.url, **{"Sec-Fetch-Site": "same-origin"}).status == 200


def test_a_body_above_the_limit_is_refused(server: HttpServer) -> None:
    body = b'{"identity": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    answer = server.ask("POST", f"{N}/workflows/{unique('large')}", body)
    assert (answer.status, answer.json["code"]) == (400, 3)
    assert "too large" in answer.json["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_json_is_read_whatever_it_is_called_and_nothing_else_is(
    server: HttpServer, kind: str
) -> None:
    path = f"{N}/workflows/{unique('kind')}"
    wrong = server.ask("POST", path, b"<xml/>", {"Content-Type": kind})
    assert (wrong.status, wrong.json["code"]) == (400, 3)
    body = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}}
    right = server.ask("POST", path, body, {"Content-Type": kind})
    assert right.status == 200, right.body


def test_json_that_is_too_deep_is_refused(server: HttpServer) -> None:
    body = b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = server.ask("POST", f"{N}/workflows/{unique('deep')}", body)
    assert (answer.status, answer.json["code"]) == (400, 3)


@pytest.mark.parametrize(
    "path", ["/api/v1/namespaces/%ff", "/api/v1/../../etc/passwd", "/%2e%2e/x"]
)
def test_odd_paths_lead_nowhere(server: HttpServer, path: str) -> None:
    received = raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert received.split(b" ")[1] in (b"400", b"404"), received
    assert b"root:" not in received


def test_a_request_without_a_host_is_refused(server: HttpServer) -> None:
    received = raw(server, f"GET {N} HTTP/1.0\r\n\r\n")
    assert received.split(b" ")[1] == b"403", received


def test_ids_may_hold_any_character(server: HttpServer) -> None:
    name = unique("a/b c?%")
    quoted = name.replace("%", "%25").replace("/", "%2F").replace(" ", "%20").replace("?", "%3F")
    body = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}}
    assert server.ask("POST", f"{N}/workflows/{quoted}", body).status == 200
    info = server.ask("GET", f"{N}/workflows/{quoted}").json["workflowExecutionInfo"]
    assert info["execution"]["workflowId"] == name


def test_answers_are_json_that_no_cache_keeps(server: HttpServer) -> None:
    answer = get(server)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_api_describes_itself(server: HttpServer) -> None:
    swagger = json.loads(ask("GET", server.url + "/swagger.json").body)
    assert swagger["swagger"] == "2.0" and len(swagger["paths"]) > 150
    for path in ("/openapi.yaml", "/api/v1/openapi.yaml"):
        openapi = ask("GET", server.url + path)
        assert b"StartWorkflowExecution" in openapi.body and b"openapi: 3.0.3" in openapi.body
