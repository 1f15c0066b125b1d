"""`login`: with a browser, with a device, renewed and forgotten."""

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from harness.command_line import Cli
from harness.node import Provider
from harness.secured import SecuredServer
from harness.server import executable
from harness.waiting import wait_for_sync

pytestmark = pytest.mark.timeout(180)

URL = re.compile(r"http://\S+")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory):
    with Provider(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def secured(provider: Provider, tmp_path_factory: pytest.TempPathFactory):
    rules = {"authorizer": "default", "oidcIssuers": [provider.issuer], "audience": "temporal"}
    settings = {"global": {"authorization": rules}}
    with SecuredServer(tmp_path_factory.mktemp("server"), settings) as server:
        yield server


@pytest.fixture
def cli(secured: SecuredServer, tmp_path: Path) -> Cli:
    program = os.environ.get("LONGTIDE_E2E_CLI") or executable()
    return Cli(program, secured.address, tmp_path)


class Browser:
    """Follows addresses, and sends every form that it meets."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def open(self, address: str) -> str:
        page, at = self._get(address, None)
        for _ in range(5):
            form = re.search(r'<form[^>]*action="([^"]*)"', page)
            if not form:
                return page
            fields = dict(re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page))
            target = urllib.parse.urljoin(at, form.group(1))
            page, at = self._get(target, urllib.parse.urlencode(fields).encode())
        raise AssertionError(page)

    def _get(self, address: str, data: bytes | None) -> tuple[str, str]:
        with self.opener.open(address, data, timeout=20) as answer:
            return answer.read().decode(), answer.url


def log_in(cli: Cli, provider: Provider, *words: str) -> tuple[str, str]:
    """What the browser and the program say in the end."""
    line = [cli.program, "login", "--issuer", provider.issuer, "--client-id", "cli", *words]
    program = subprocess.Popen(
        line, env=cli.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    told = ""
    while not URL.search(told):
        line = program.stderr.readline()
        assert line, f"the program ended: {told}"
        told += line
    page = Browser().open(URL.search(told).group(0))
    out, error = program.communicate(timeout=60)
    assert program.returncode == 0, told + error
    return page, out


def kept(cli: Cli) -> Path:
    return Path(cli.environment["HOME"]) / ".config/temporalio/longtide-logins.json"


@pytest.mark.parametrize("words", [[], ["--device"]])
def test_a_login_speaks_for_its_user(cli: Cli, provider: Provider, words: list[str]):
    assert cli.run("workflow", "list").returncode == 6
    page, out = log_in(cli, provider, *words)
    assert "Logged in to" in out
    assert words or "You are logged in" in page
    cli.text("workflow", "start", "--type", "x", "-t", "q", "-w", "w")
    (event,) = cli.json("workflow", "show", "-w", "w")["events"][:1]
    assert event["principal"]["name"] == "alice"
    cli.text("workflow", "terminate", "-w", "w")
    # Somewhere else nobody is logged in, and another way to say who asks is stronger.
    assert cli.run("workflow", "list", "--api-key", "wrong", "--tls=false").returncode == 7
    assert kept(cli).stat().st_mode & 0o077 == 0


def test_a_login_is_renewed_before_its_token_ends(cli: Cli, provider: Provider):
    log_in(cli, provider)
    (login,) = json.loads(kept(cli).read_text())["logins"]["default"].values()

    def renewed() -> bool:
        cli.text("workflow", "count")
        (now,) = json.loads(kept(cli).read_text())["logins"]["default"].values()
        return now["access_token"] != login["access_token"]

    # The provider's tokens last half a minute, and half a minute before its end one is over.
    wait_for_sync(renewed, "another token")


def test_a_login_is_forgotten(cli: Cli, provider: Provider):
    log_in(cli, provider)
    assert cli.run("workflow", "list", "--disable-config-file").returncode == 6
    cli.text("logout")
    assert cli.run("workflow", "list").returncode == 6
    assert "access_token" not in kept(cli).read_text()
    assert cli.run("logout").returncode == 2


def test_a_token_does_not_leave_the_connection_it_was_made_for(cli: Cli, provider: Provider):
    log_in(cli, provider)
    logins = json.loads(kept(cli).read_text())
    (login,) = logins["logins"]["default"].values()
    login["encrypted"] = True
    kept(cli).write_text(json.dumps(logins))
    done = cli.run("workflow", "list")
    assert done.returncode == 2 and "encrypted" in done.stderr


def test_what_is_wrong_is_said(cli: Cli, provider: Provider):
    words = ["login", "--client-id", "cli", "--issuer"]
    assert cli.run(*words, "http://login.example").returncode == 2
    done = cli.run(*words, "http://127.0.0.1:1")
    assert done.returncode == 6 and "127.0.0.1:1" in done.stderr
    done = cli.run(*words[:1], "--client-id", "nobody", "--issuer", provider.issuer, "--device")
    assert done.returncode == 6 and "invalid_client" in done.stderr
