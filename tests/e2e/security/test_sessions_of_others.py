"""Administrators see who is signed in to the web UI, and end it."""

import json
import os
import socket
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.browser import Visitor
from harness.people import SignOnServer
from harness.server import executable
from harness.ui_in_front import UiInFront

pytestmark = pytest.mark.timeout(120)

N = "/api/v1/namespaces/default"
COOKIE = "longtide-session"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignOnServer]:
    with SignOnServer(tmp_path_factory.mktemp("site")) as running:
        yield running


def sessions(site: SignOnServer, who: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of `longtide auth sessions`."""
    token = site.token(who)
    known = {"TEMPORAL_ADDRESS": site.server.address, "TEMPORAL_API_KEY": token}
    return subprocess.run(
        [executable(), "auth", "sessions", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"]} | known,
    )


def listed(site: SignOnServer) -> list[list[str]]:
    done = sessions(site, "admin", "list")
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def signed_in(site: SignOnServer, account: str) -> Visitor:
    visitor = Visitor(site.url)
    assert visitor.sign_in(account).location == "/"
    return visitor


def ended(site: SignOnServer) -> list[dict]:
    """What the audit log has of ended sessions."""
    return [
        json.loads(line)
        for file in sorted(site.audit.rglob("*"))
        if file.is_file()
        for line in file.read_bytes().splitlines()
        if b'"EndSession"' in line
    ]


def test_who_is_signed_in_is_listed_and_no_secret_is(site: SignOnServer) -> None:
    visitor = signed_in(site, "writer")
    done = sessions(site, "admin", "list")
    (line,) = [line for line in done.stdout.splitlines() if "writer@example.com" in line]
    id, person, provider, address, since, used, ends = line.split("\t")
    assert person == "The writer <writer@example.com>"
    assert (provider, address) == ("people", "127.0.0.1")
    assert since <= used < ends and ends.endswith("Z")
    secrets = [visitor.jar["localhost"][COOKIE], visitor.session["csrfToken"]]
    told = done.stdout + done.stderr
    assert "eyJ" not in told and not any(secret in told for secret in secrets)
    # The id is no way in.
    thief = Visitor(site.url)
    thief.jar["localhost"] = {COOKIE: id}
    assert thief.page("GET", N).status == 401


def test_an_ended_session_ends_at_once_and_for_good(site: SignOnServer) -> None:
    visitor, stays = signed_in(site, "reader"), signed_in(site, "newcomer")
    port = urllib.parse.urlsplit(site.url).port
    cookie = f"{COOKIE}={visitor.jar['localhost'][COOKIE]}"
    with socket.create_connection(("localhost", port), timeout=30) as stream:
        path = "/ui-api/namespaces/default/workflows/stream"
        head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n"
        stream.sendall(head.encode())
        assert stream.recv(65536).startswith(b"HTTP/1.1 200")
        (id,) = [line[0] for line in listed(site) if "reader@example.com" in line[1]]
        done = sessions(site, "admin", "end", id)
        assert done.stdout == f"ended {id} (The reader <reader@example.com>)\n", done.stderr
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            more = stream.recv(65536)
            assert more, "the connection broke"
            rest += more
    assert visitor.page("GET", N).status == 401
    assert visitor.session["user"] is None
    again = sessions(site, "admin", "end", id)
    assert (again.returncode, "no such session" in again.stderr) == (1, True), again.stderr
    record = next(it for it in ended(site) if it["target"].get("session_id") == id)
    assert record["principal"]["name"] == "admin"
    assert (record["outcome"], record["target"]["subject"]) == ("OK", "reader")
    # Whoever had it has it no more after a restart, and others still have theirs.
    site.server.stop()
    site.server.start()
    assert visitor.page("GET", N).status == 401
    assert stays.session["user"]["name"] == "The newcomer"
    assert any("newcomer@example.com" in line[1] for line in listed(site))


def test_all_sessions_of_a_person_end_together(site: SignOnServer) -> None:
    first, second, other = (signed_in(site, who) for who in ("writer", "writer", "reader"))
    done = sessions(site, "admin", "end", "--person", "Writer@example.com")
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 2, done.stderr
    assert [it.session["user"] for it in (first, second)] == [None, None]
    assert other.session["user"] is not None
    assert not any("writer@example.com" in line[1] for line in listed(site))


@pytest.mark.parametrize("who", ["newcomer", "reader", "writer"])
def test_nobody_else_sees_or_ends_sessions(site: SignOnServer, who: str) -> None:
    visitor = signed_in(site, who)
    (id, *_) = [line[0] for line in listed(site) if f"{who}@example.com" in line[1]]
    for words in (["list"], ["end", id]):
        done = sessions(site, who, *words)
        assert done.returncode == 1 and not done.stdout
        assert "Request unauthorized." in done.stderr
    assert visitor.page("GET", "/ui-api/sessions").status == 403
    assert visitor.page("DELETE", f"/ui-api/sessions/{id}").status == 403
    assert visitor.session["user"] is not None


def test_pages_end_sessions_and_need_to_prove_that_they_ask(site: SignOnServer) -> None:
    admin, visitor = signed_in(site, "admin"), signed_in(site, "reader")
    told = admin.page("GET", "/ui-api/sessions").json
    assert told["total"] == len(told["sessions"])
    mine = next(it for it in told["sessions"] if it["subject"] == "reader")
    assert set(mine) == {
        *("id", "name", "email", "subject", "provider", "address", "created", "used", "expires")
    }
    path = f"/ui-api/sessions/{mine['id']}"
    for wrong in ({"X_CSRF_Token": ""}, {"X_CSRF_Token": "x"}, {"Sec_Fetch_Site": "same-site"}):
        assert admin.page("DELETE", path, **wrong).status == 403, wrong
    assert admin.page("DELETE", "/ui-api/sessions/none").status == 404
    assert visitor.session["user"] is not None
    assert admin.page("DELETE", path).json["ended"][0]["id"] == mine["id"]
    ours = [it for it in told["sessions"] if it["subject"] == "reader"]
    for session in ours[1:]:
        admin.page("DELETE", f"/ui-api/sessions/{session['id']}")
    assert visitor.session["user"] is None


def test_pages_in_front_lend_no_credentials_to_those_who_have_not_signed_in(
    site: SignOnServer, tmp_path: Path
) -> None:
    """A server's own key, given to `longtide ui`, is for nobody once people sign in."""
    provider = site.settings["auth"]["providers"][0]
    file = tmp_path / "auth.yaml"
    file.write_text(json.dumps({"auth": {"enabled": True, "providers": [provider]}}))
    lent = ("--api-key", site.token("admin"), "--auth-config", str(file))
    with UiInFront(site.server.address, *lent) as ui:
        for headers in [{}, {"Authorization": "Bearer x"}, {"Grpc-Metadata-Authorization": "x"}]:
            answer = ui.ask("GET", N, headers=headers)
            assert (answer.status, answer.json["code"]) == (401, 16), headers
        assert ui.ask("GET", "/ui-api/permissions").status == 401
        assert ui.ask("GET", "/ui-api/sessions").status == 401
        assert ui.ask("GET", "/ui-api/session").json["enabled"] is True
        assert "Sessions are in memory" in ui.said()
