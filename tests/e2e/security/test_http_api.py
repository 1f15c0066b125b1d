"""The API in JSON asks for the same credentials and rights as the API over gRPC."""

import json
from collections.abc import Iterator

import pytest

from harness.http_api import Answer, ask
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, trusting

N = "/api/v1/namespaces/default"
START = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}, "requestId": "r"}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture(scope="module")
def server(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServer]:
    folder = tmp_path_factory.mktemp("http")
    authorization = trusting(folder, key) | {"claimMapper": "default"}
    port = free_port()
    settings = {
        "global": {"authorization": authorization},
        "http": {"listen": f"127.0.0.1:{port}"},
        "ui": {"enabled": True},
        "audit": {"directory": str(folder / "audit"), "data_plane": "all"},
    }
    with SecuredServer(folder / "server", settings) as running:
        running.url = f"http://localhost:{port}"
        running.audit = folder / "audit"
        yield running


def asked(
    server: SecuredServer, method: str, path: str, token: str | None, body: object = None
) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask(method, server.url + path, body, headers)


def test_without_a_right_nothing_is_done_and_nothing_is_learned(
    server: SecuredServer, key: SigningKey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = SigningKey(tmp_path_factory.mktemp("strange"), "first")
    for token in [
        None,
        stranger.token("temporal-system:admin"),
        key.token("default:write", exp=1_700_000_000),
        key.token("other:admin"),
    ]:
        for method, path, body in [
            ("POST", f"{N}/workflows/{unique('w')}", START),
            ("GET", N, None),
            ("GET", "/api/v1/namespaces/none", None),
            ("GET", f"{N}/workflows/none", None),
            ("GET", "/ui-api/namespaces/default/workflows/stream", None),
            ("GET", f"{N}/workflows/w/run/r/history.json", None),
        ]:
            answer = asked(server, method, path, token, body)
            assert (answer.status, answer.json["code"]) == (403, 7), (path, answer.body)
            assert answer.json["message"] == "Request unauthorized."


def test_a_reader_reads_and_a_writer_writes(server: SecuredServer, key: SigningKey) -> None:
    reader, writer = key.token("default:read"), key.token("default:write")
    path = f"{N}/workflows/{unique('w')}"
    assert asked(server, "POST", path, reader, START).status == 403
    assert asked(server, "POST", path, writer, START).status == 200
    assert asked(server, "GET", path, reader).status == 200
    assert asked(server, "POST", path + "/terminate", reader, {}).status == 403


def test_what_is_open_over_grpc_is_open_here(server: SecuredServer) -> None:
    assert asked(server, "GET", "/api/v1/system-info", None).status == 200
    assert asked(server, "GET", "/api/v1/settings", None).status == 200
    page = ask("GET", server.url + "/", headers={"Accept": "text/html"})
    assert page.status == 200 and b"<html" in page.body
    assert asked(server, "GET", "/api/v1/cluster-info", None).status == 403


def test_a_caller_is_told_what_it_may_do(server: SecuredServer, key: SigningKey) -> None:
    def told(token: str | None, namespace: str = "default") -> dict:
        return asked(server, "GET", f"/ui-api/permissions?namespace={namespace}", token).json

    reader = told(key.token("default:read"))
    assert (reader["read"], reader["write"], reader["admin"]) == (True, False, False)
    assert reader["methods"]["ListWorkflowExecutions"] is True
    assert reader["methods"]["StartWorkflowExecution"] is False
    writer = told(key.token("default:write"))
    assert writer["write"] and not writer["admin"]
    assert told(key.token("default:write"), "other")["read"] is False
    assert told(None)["read"] is False and told(None)["principal"] is None
    assert told(key.token("temporal-system:admin"))["methods"]["DeleteNamespace"] is True


def test_calls_are_in_the_audit_log(server: SecuredServer, key: SigningKey) -> None:
    workflow = unique("audited")
    asked(server, "POST", f"{N}/workflows/{workflow}", key.token("default:write"), START)
    asked(server, "POST", f"{N}/workflows/{workflow}", key.token("default:read"), START)
    assert server.stop() == 0
    lines = [
        json.loads(line)
        for file in sorted(server.audit.rglob("*"))
        if file.is_file()
        for line in file.read_bytes().splitlines()
        if workflow.encode() in line
    ]
    text = [json.dumps(line) for line in lines]
    assert any('"StartWorkflowExecution"' in line and '"OK"' in line for line in text), text
    assert any("PERMISSION_DENIED" in line for line in text), text
    assert all("127.0.0.1:" in line for line in text)
