"""The web UI's files, and what its pages ask besides the API."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.http_api import UiServer, ask
from harness.sdk import unique

N = "/api/v1/namespaces/default"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ui")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<html>index")
    (folder / "assets/main-1.js").write_text("script")
    (folder.parent / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[UiServer]:
    with UiServer("--ui-asset-path", str(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def built_in() -> Iterator[UiServer]:
    with UiServer("--ui-codec-endpoint", "https://codec.example/x") as server:
        yield server


def test_every_view_is_the_index(served: UiServer) -> None:
    for path in (
        "/",
        "/namespaces/default/workflows",
        "/namespaces/default/workflows/a.b/c/history",
    ):
        answer = ask("GET", served.ui + path, headers=PAGE)
        assert (answer.status, answer.body) == (200, b"<html>index"), path
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"].startswith("text/html")


def test_files_with_hashed_names_are_kept_for_good(served: UiServer) -> None:
    answer = ask("GET", served.ui + "/assets/main-1.js")
    assert (answer.status, answer.body) == (200, b"script")
    assert "immutable" in answer.headers["cache-control"]
    assert ask("GET", served.ui + "/assets/none.js").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..\\secret.txt",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_folder(served: UiServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.ui_port), timeout=20) as connection:
        text = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(text.encode())
        received = b""
        while part := connection.recv(65536):
            received += part
    assert b"secret" not in received.split(b"\r\n\r\n", 1)[1] and b"root:" not in received


def test_pages_run_nothing_but_their_own_scripts_and_stand_in_no_frame(built_in: UiServer) -> None:
    headers = ask("GET", built_in.ui + "/", headers=PAGE).headers
    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy and policy.endswith(" https://codec.example")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_text_for_a_frame_stays_text(served: UiServer) -> None:
    answer = ask(
        "GET", served.ui + "/render?content=%3Cscript%3Ealert(1)%3C%2Fscript%3E&theme=light"
    )
    assert b"&lt;script&gt;" in answer.body and b"<script" not in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_views_about_nexus_are_views(served: UiServer) -> None:
    answer = ask("GET", served.ui + "/nexus/create", headers=PAGE)
    assert (answer.status, answer.body) == (200, b"<html>index")


def test_a_name_of_somebody_else_s_gets_no_page(served: UiServer) -> None:
    assert ask("GET", served.ui + "/", headers={"Host": "evil.example"}).status == 403


def test_the_api_is_there_with_payloads_in_full(served: UiServer) -> None:
    name = unique("full")
    body = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}, "input": [1]}
    assert ask("POST", f"{served.ui}{N}/workflows/{name}", body).status == 200
    events = ask("GET", f"{served.ui}{N}/workflows/{name}/history").json["history"]["events"]
    given = events[0]["workflowExecutionStartedEventAttributes"]["input"]
    assert given == {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}
    short = served.ask("GET", f"{N}/workflows/{name}/history").json["history"]["events"]
    assert short[0]["workflowExecutionStartedEventAttributes"]["input"] == [1]


def test_settings_are_those_that_a_ui_expects(served: UiServer, built_in: UiServer) -> None:
    settings = ask("GET", built_in.ui + "/api/v1/settings").json
    assert settings["Codec"]["Endpoint"] == "https://codec.example/x"
    assert settings["Auth"] == {"Enabled": False, "Options": None, "RedirectToProvider": False}
    assert settings["DisableWriteActions"] is False
    assert served.ask("GET", "/api/v1/settings").status == 404
    assert ask("GET", served.ui + "/healthz").json == {"status": "OK"}


def test_whoever_may_do_everything_is_told_so(served: UiServer) -> None:
    told = ask("GET", served.ui + "/ui-api/permissions?namespace=default").json
    assert told["namespace"] == "default" and told["write"] and told["admin"]
    assert told["methods"]["StartWorkflowExecution"] is True
    assert told["methods"]["DeleteNamespace"] is True


def test_a_build_without_pages_says_how_to_get_them(built_in: UiServer) -> None:
    body = ask("GET", built_in.ui + "/", headers=PAGE).body
    assert b"npm run build" in body or b"<script" in body
