"""The command line says which step of a connection fails, with a server that encrypts and asks."""

import contextlib
import os
import socket
import ssl
import threading
from pathlib import Path

import pytest
from test_tls import files, tls

from harness.certificates import EXPIRED, Authority
from harness.command_line import Cli
from harness.secured import SecuredServer
from harness.server import executable
from harness.tokens import SigningKey, publish


@pytest.fixture(scope="module")
def mutual(authority: Authority, tmp_path_factory: pytest.TempPathFactory):
    more = {"requireClientAuth": True, "clientCaFiles": [str(authority.own.certificate)]}
    pair = authority.server("steps", names="DNS:steps.example,IP:127.0.0.1")
    with SecuredServer(tmp_path_factory.mktemp("steps"), tls(files(pair, **more))) as server:
        yield server


@pytest.fixture
def cli(mutual: SecuredServer, tmp_path: Path) -> Cli:
    return Cli(os.environ.get("LONGTIDE_E2E_CLI") or executable(), mutual.address, tmp_path)


def trusting(authority: Authority) -> list[str]:
    return ["--tls-ca-path", str(authority.own.certificate)]


def showing(pair) -> list[str]:
    return ["--tls-cert-path", str(pair.certificate), "--tls-key-path", str(pair.key)]


def step(cli: Cli, code: int, *words: str) -> str:
    """What is said of a connection that fails."""
    done = cli.run("workflow", "count", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert "failed step" in done.stderr, done.stderr
    return done.stderr


def test_with_all_that_is_needed_it_works(cli: Cli, authority: Authority, tmp_path: Path):
    mine = authority.client("of-steps")
    assert "Total" in cli.text("workflow", "count", *trusting(authority), *showing(mine))
    profile = tmp_path / "temporal.toml"
    profile.write_text(
        f'[profile.default.tls]\nserver_ca_cert_path = "{authority.own.certificate}"\n'
        f'client_cert_path = "{mine.certificate}"\nclient_key_path = "{mine.key}"\n'
    )
    assert "Total" in cli.text("workflow", "count", "--config-file", str(profile))


def test_a_missing_or_strange_certificate_is_named(
    cli: Cli, authority: Authority, stranger: Authority
):
    for shown in ([], showing(stranger.client("nobody"))):
        said = step(cli, 8, *trusting(authority), *shown)
        assert "failed step  certificate" in said and "--tls-cert-path" in said


def test_a_server_of_another_authority_or_name_is_named(
    cli: Cli, authority: Authority, stranger: Authority
):
    mine = showing(authority.client("other-steps"))
    said = step(cli, 8, *trusting(stranger), *mine)
    assert "failed step  certificate" in said and "--tls-ca-path" in said
    said = step(cli, 8, *trusting(authority), *mine, "--tls-server-name", "other.example")
    assert "failed step  certificate" in said and "--tls-server-name" in said


def test_who_does_not_ask_gets_through_and_still_shows_a_certificate(
    cli: Cli, authority: Authority
):
    anybody = "--tls-disable-host-verification"
    mine = showing(authority.client("trustful"))
    assert "Total" in cli.text("workflow", "count", anybody, *mine)
    assert "failed step  certificate" in step(cli, 8, anybody)


def test_speaking_in_the_clear_is_named(cli: Cli):
    said = step(cli, 8, "--tls=false")
    assert "failed step  HTTP/2" in said and "--tls" in said


def test_a_server_whose_certificate_is_over_is_named(authority: Authority, tmp_path: Path):
    # Longtide does not start with one.
    pair = authority.server("over", dates=EXPIRED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                stream, _ = listener.accept()
                with contextlib.suppress(OSError):
                    context.wrap_socket(stream, server_side=True)

        threading.Thread(target=accept, daemon=True).start()
        cli = Cli(
            os.environ.get("LONGTIDE_E2E_CLI") or executable(),
            f"127.0.0.1:{listener.getsockname()[1]}",
            tmp_path,
        )
        said = step(cli, 8, *trusting(authority))
    assert "failed step  certificate" in said and "no longer valid" in said


def test_who_asks_and_what_one_may_are_told_apart(tmp_path: Path):
    key = SigningKey(tmp_path, "key")
    publish(tmp_path / "keys.json", key)
    keys = {"keySourceURIs": [f"file://{tmp_path}/keys.json"]}
    rules = {"authorizer": "default", "jwtKeyProvider": keys}
    with SecuredServer(tmp_path / "server", {"global": {"authorization": rules}}) as server:
        cli = Cli(os.environ.get("LONGTIDE_E2E_CLI") or executable(), server.address, tmp_path)
        assert "failed step  authentication" in step(cli, 6)
        assert "failed step  authorization" in step(cli, 7, "--api-key", "x", "--tls=false")
        reader = ["--api-key", key.token("default:read"), "--tls=false"]
        assert "Total" in cli.text("workflow", "count", *reader)
        refused = cli.run("workflow", "start", "--type", "x", "-t", "q", "-w", "w", *reader)
        assert refused.returncode == 7 and "failed step  authorization" in refused.stderr
        assert "failed step  authorization" in step(cli, 7, "-n", "other", *reader)
