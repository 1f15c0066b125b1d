"""`longtide ui` in front of the reference, and in front of a server that listens in."""

import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent import futures
from http.client import HTTPConnection
from pathlib import Path

import grpc
import pytest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsResponse,
    DescribeWorkflowExecutionRequest,
    service_pb2_grpc,
)

from harness.certificates import Authority
from harness.command_line import REFERENCE
from harness.sdk import unique
from harness.server import Server, executable, free_port
from harness.ui_in_front import UiInFront

N = "/api/v1/namespaces/default"
COUNT = f"{N}/workflow-count"
START = {"workflowType": {"name": "X"}, "taskQueue": {"name": "nobody"}, "input": [{"a": 1}]}
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def reference() -> Iterator[Server]:
    with Server(program=str(REFERENCE)) as server:
        yield server


@pytest.fixture(scope="module")
def ui(reference: Server) -> Iterator[UiInFront]:
    with UiInFront(reference.address) as running:
        yield running


class Listening(service_pb2_grpc.WorkflowServiceServicer):
    """A server that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, str | bytes]] = []
        self.address = ""

    def CountWorkflowExecutions(self, request, context):
        self.told.append(dict(context.invocation_metadata()))
        return CountWorkflowExecutionsResponse(count=7)


def listening(credentials: grpc.ServerCredentials | None = None) -> Iterator[Listening]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    known = Listening()
    service_pb2_grpc.add_WorkflowServiceServicer_to_server(known, server)
    if credentials:
        known.address = f"localhost:{server.add_secure_port('127.0.0.1:0', credentials)}"
    else:
        known.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield known
    server.stop(None)


@pytest.fixture
def listener() -> Iterator[Listening]:
    yield from listening()


def test_calls_reach_the_server_and_its_answers_come_back(ui: UiInFront, reference: Server) -> None:
    workflow = unique("front")
    started = ui.ask("POST", f"{N}/workflows/{workflow}", START)
    assert started.status == 200
    with grpc.insecure_channel(reference.address) as channel:
        request = DescribeWorkflowExecutionRequest(namespace="default")
        request.execution.workflow_id = workflow
        stub = service_pb2_grpc.WorkflowServiceStub(channel)
        described = stub.DescribeWorkflowExecution(request, timeout=10)
    assert described.workflow_execution_info.execution.run_id == started.json["runId"]
    events = ui.ask("GET", f"{N}/workflows/{workflow}/history").json["history"]["events"]
    given = events[0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    # In full: this is the API as pages read it.
    assert given == [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJhIjoxfQ=="}]


def test_errors_are_the_server_s(ui: UiInFront) -> None:
    answer = ui.ask("GET", f"{N}/workflows/there-is-none")
    assert (answer.status, answer.json["code"]) == (404, 5)
    assert answer.json["message"] == "workflow not found for ID: there-is-none"
    assert "NotFoundFailure" in answer.json["details"][0]["@type"]
    assert ui.ask("GET", "/api/v1/no-such-path").status == 404
    unknown = ui.ask("GET", "/ui-api/permissions?namespace=default")
    assert (unknown.status, unknown.json["known"]) == (200, False)
    assert not {"decisions", "methods"} & unknown.json.keys(), "nothing is made up"
    # Nobody signs in here.
    sessions = ui.ask("GET", "/ui-api/sessions")
    assert (sessions.status, sessions.json["code"]) == (501, 12)


def test_search_attributes_are_added_and_removed(ui: UiInFront) -> None:
    name = "City" + unique("")[1:9]
    at = "/ui-api/namespaces/default/search-attributes"
    body = {"searchAttributes": {name: "INDEXED_VALUE_TYPE_KEYWORD"}}
    assert ui.ask("POST", at, body).status == 200
    shown = ui.ask("GET", f"{N}/search-attributes").json["customAttributes"]
    assert shown[name] == "INDEXED_VALUE_TYPE_KEYWORD"
    assert ui.ask("POST", f"{at}/remove", {"searchAttributes": [name]}).status == 200
    assert name not in ui.ask("GET", f"{N}/search-attributes").json.get("customAttributes", {})


def test_histories_are_streamed_from_servers_that_have_no_streams(ui: UiInFront) -> None:
    workflow = unique("stream")
    run = ui.ask("POST", f"{N}/workflows/{workflow}", START).json["runId"]
    connection = HTTPConnection("localhost", ui.port, timeout=30)
    path = f"/ui-api/namespaces/default/workflows/{workflow}/runs/{run}/history/stream"
    connection.request("GET", path, headers={"Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.headers["content-type"] == "text/event-stream"
    ui.ask("POST", f"{N}/workflows/{workflow}/terminate", {"reason": "enough"})
    text = response.read().decode()
    connection.close()
    names = [line for line in text.splitlines() if line.startswith(("id:", "event:"))]
    assert names == [
        *("id: 1", "event: history", "id: 2", "event: history", "id: 3", "event: history"),
        "event: end",
    ]


def test_pages_have_the_same_headers_and_foreign_ones_get_nothing(ui: UiInFront) -> None:
    page = ui.ask("GET", "/namespaces/default/workflows", headers=PAGE)
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert ui.ask("GET", "/api/v1/namespaces", headers={"Host": "evil.example"}).status == 403
    foreign = {"Origin": "http://evil.example"}
    assert ui.ask("POST", f"{N}/workflows/w", START, foreign).status == 403
    settings = ui.ask("GET", "/api/v1/settings").json
    assert settings["Auth"]["Enabled"] is False


def test_what_the_server_is_told(listener: Listening) -> None:
    variables = {"TEMPORAL_FORWARD_HEADERS": "X-Tenant, X-Raw-Bin"}
    headers = {
        "Authorization": "Bearer of-the-browser",
        "Authorization-Extras": "id",
        "Cookie": "session=secret",
        "X-Tenant": "blue",
        "X-Raw-Bin": "AAE=",
        "X-Other": "no",
    }
    with UiInFront(listener.address, "--forward-header", "x-flag", **variables) as ui:
        assert ui.ask("GET", COUNT, headers=headers | {"X-Flag": "yes"}).json == {"count": "7"}
        assert ui.ask("GET", COUNT).status == 200
    first, second = listener.told
    assert first["authorization"] == "Bearer of-the-browser"
    assert (first["authorization-extras"], first["x-tenant"]) == ("id", "blue")
    assert (first["x-raw-bin"], first["x-flag"]) == (b"\x00\x01", "yes")
    assert first["client-name"] == "longtide-ui"
    assert not {"cookie", "x-other", "origin"} & first.keys()
    assert "authorization" not in second


def test_the_key_that_was_given_is_for_those_who_show_none(listener: Listening) -> None:
    given = ("--api-key", "of-the-operator", "--tls=false", "--grpc-meta", "x-cell=one")
    with UiInFront(listener.address, *given) as ui:
        ui.ask("GET", COUNT)
        ui.ask("GET", COUNT, headers={"Authorization": "Bearer mine"})
    without, with_own = listener.told
    assert (without["authorization"], without["x-cell"]) == ("Bearer of-the-operator", "one")
    assert with_own["authorization"] == "Bearer mine"


def test_an_encrypted_server_proves_its_name(tmp_path: Path) -> None:
    trusted, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    pair, client = trusted.server(), trusted.client()
    credentials = grpc.ssl_server_credentials(
        [(pair.key.read_bytes(), pair.certificate.read_bytes())], trusted.root, True
    )
    for server in listening(credentials):
        shown = (
            *("--tls-cert-path", str(client.certificate)),
            *("--tls-key-path", str(client.key)),
        )
        with UiInFront(server.address, "--tls-ca-path", str(trusted.own.certificate), *shown) as ui:
            assert ui.ask("GET", COUNT).json == {"count": "7"}
        with UiInFront(
            server.address, "--tls-ca-path", str(stranger.own.certificate), *shown
        ) as ui:
            answer = ui.ask("GET", COUNT)
            assert (answer.status, answer.json["code"]) == (503, 14)
        # The names of the reference's UI server.
        variables = {
            "TEMPORAL_TLS_CERT": str(client.certificate),
            "TEMPORAL_TLS_KEY": str(client.key),
            "TEMPORAL_TLS_CA": str(stranger.own.certificate),
            "TEMPORAL_TLS_ENABLE_HOST_VERIFICATION": "false",
        }
        with UiInFront(server.address, **variables) as ui:
            assert ui.ask("GET", COUNT).status == 200
            assert "HOST_VERIFICATION IS FALSE" in ui.said()


def test_browsers_are_served_encrypted(tmp_path: Path, reference: Server) -> None:
    authority = Authority(tmp_path)
    pair = authority.server()
    variables = {
        "TEMPORAL_UI_SERVER_TLS_CERT": str(pair.certificate),
        "TEMPORAL_UI_SERVER_TLS_KEY": str(pair.key),
    }
    with UiInFront(reference.address, **variables) as ui:
        context = ssl.create_default_context(cafile=str(authority.own.certificate))
        url = f"https://localhost:{ui.port}/api/v1/namespaces"
        with urllib.request.urlopen(url, timeout=20, context=context) as answer:
            assert answer.status == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_server_that_is_not_there_is_said_to_be(reference: Server) -> None:
    with UiInFront(f"127.0.0.1:{free_port()}") as ui:
        answer = ui.ask("GET", COUNT)
        assert (answer.status, answer.json["code"]) == (503, 14)
        assert "cannot be reached" in answer.json["message"]
        # The pages are there all the same.
        assert ui.ask("GET", "/", headers=PAGE).status == 200


def test_a_server_that_comes_back_is_found_again(tmp_path: Path) -> None:
    with Server(db_filename=tmp_path / "db", program=str(REFERENCE)) as server:
        with UiInFront(server.address) as ui:
            workflow = unique("restart")
            assert ui.ask("POST", f"{N}/workflows/{workflow}", START).status == 200
            server.kill()
            assert ui.ask("GET", f"{N}/workflows/{workflow}").status == 503
            server.start()
            deadline = time.monotonic() + 20
            while ui.ask("GET", f"{N}/workflows/{workflow}").status != 200:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_the_pages_may_be_below_a_path(reference: Server, tmp_path: Path) -> None:
    tmp_path.joinpath("index.html").write_text('<html><base href="/" />')
    pages = ("--ui-asset-path", str(tmp_path))
    with UiInFront(reference.address, *pages, TEMPORAL_UI_PUBLIC_PATH="/team/temporal/") as ui:
        index = ui.ask("GET", "/team/temporal/namespaces/default/workflows", headers=PAGE)
        assert b'<base href="/team/temporal/"' in index.body
        assert ui.ask("GET", f"/team/temporal{COUNT}").status == 200
        for path in ("/", "/namespaces/x?y=1", "//evil.example/"):
            connection = HTTPConnection("localhost", ui.port, timeout=20)
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, answer.headers["location"]) == (308, "/team/temporal" + path)
            connection.close()


def test_what_is_forbidden_is_refused_here(reference: Server) -> None:
    with UiInFront(reference.address, TEMPORAL_DISABLE_WRITE_ACTIONS="true") as ui:
        answer = ui.ask("POST", f"{N}/workflows/{unique('no')}", START)
        assert (answer.status, answer.body) == (405, b'{"message":"Method Not Allowed"}\n')
        at = "/ui-api/namespaces/default/search-attributes"
        assert ui.ask("POST", at, {"searchAttributes": {}}).status == 405
        assert ui.ask("GET", COUNT).status == 200


@pytest.mark.parametrize(
    ("arguments", "variables", "text"),
    [
        (("--ip", "0.0.0.0"), {}, "--dangerous-plaintext"),
        (("--public-path", "x"), {}, "no path such as /temporal"),
        ((), {"TEMPORAL_UI_PORT": "many"}, "TEMPORAL_UI_PORT"),
        ((), {"TEMPORAL_FORWARD_HEADERS": "a b"}, "TEMPORAL_FORWARD_HEADERS"),
        ((), {"TEMPORAL_UI_SERVER_TLS_CERT": "/x"}, "belong together"),
        ((), {"TEMPORAL_DISABLE_WRITE_ACTIONS": "perhaps"}, "TEMPORAL_DISABLE_WRITE_ACTIONS"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_start(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], text: str
) -> None:
    port = () if "TEMPORAL_UI_PORT" in variables else ("--port", "0")
    done = subprocess.run(
        [executable(), "ui", "--address", "127.0.0.1:1", *port, *arguments],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"} | variables,
        capture_output=True,
        text=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode != 0 and text in done.stderr, done.stderr
