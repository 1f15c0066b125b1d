"""Signing in to the web UI: by a provider of people, with a browser that is a plain HTTP client."""

import base64
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.browser import Page, Visitor
from harness.certificates import Authority
from harness.people import CLIENT_SECRET, SignOnServer
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.waiting import wait_for_sync

pytestmark = pytest.mark.timeout(120)

N = "/api/v1/namespaces/default"
START = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}, "requestId": "r"}
COOKIE = "longtide-session"
ATTEMPT = "longtide-sign-in"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignOnServer]:
    with SignOnServer(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def visitor(site: SignOnServer) -> Visitor:
    return Visitor(site.url)


def refused(page: Page) -> str:
    """The code with which somebody was sent to the page for signing in."""
    assert page.status == 302 and page.location.startswith("/sign-in?"), (page.status, page.body)
    assert not any(cookie.startswith((COOKIE, "__Host-" + COOKIE)) for cookie in page.cookies)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.location).query))["error"]


def assert_not_signed_in(answer: Page) -> None:
    assert (answer.status, answer.json["code"]) == (401, 16), answer.body
    assert answer.json["message"] == "Request unauthorized."
    assert answer.header("www-authenticate") == "Bearer"


def test_a_person_signs_in_asks_and_signs_out(site: SignOnServer, visitor: Visitor) -> None:
    before = visitor.session
    assert before == {
        "enabled": True,
        "redirectToProvider": False,
        "providers": [{"name": "people", "label": "People"}],
        "user": None,
        "expires": None,
        "csrfToken": None,
    }
    assert_not_signed_in(visitor.page("GET", N))
    page = visitor.ask("GET", site.url + "/", headers={"Accept": "text/html"})
    assert page.status == 200, "pages load without signing in"
    signed_in = visitor.sign_in("writer", "?returnUrl=/namespaces/default%3Fq%3D1")
    assert (signed_in.status, signed_in.location) == (302, "/namespaces/default?q=1")
    (kept,) = [cookie for cookie in signed_in.cookies if cookie.startswith(COOKIE)]
    name, *attributes = [part.strip() for part in kept.split(";")]
    assert len(name) == len(COOKIE) + 1 + 43, "the cookie has 256 bits and nothing else"
    assert set(attributes) == {"Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Lax"}
    session = visitor.session
    assert session["user"] == {"name": "The writer", "email": "writer@example.com"}
    assert session["expires"].endswith("Z") and len(session["csrfToken"]) == 43
    assert name.split("=")[1] not in json.dumps(session)
    workflow = unique("signed-in")
    assert visitor.page("GET", N).status == 200
    assert visitor.page("POST", f"{N}/workflows/{workflow}", START).status == 200
    history = visitor.page("GET", f"{N}/workflows/{workflow}/history").json["history"]
    assert history["events"][0]["principal"]["name"] == "writer"
    copied = dict(visitor.jar["localhost"])
    signed_out = visitor.page("POST", "/auth/logout")
    assert signed_out.status == 200
    assert any(cookie.startswith(f"{COOKIE}=; ") for cookie in signed_out.cookies)
    assert visitor.session["user"] is None
    visitor.jar["localhost"] = copied
    assert_not_signed_in(visitor.page("GET", N))
    assert visitor.session["user"] is None, "who has copied the cookie has nothing"
    heard = [
        (line["rpc"], line["principal"]["name"], line["outcome"])
        for line in site.audited()
        if line["principal"].get("name") == "writer"
    ]
    assert heard[:2] == [("SignIn", "writer", "OK"), ("SignOut", "writer", "OK")], heard


def test_signing_out_leads_to_the_provider_and_no_script_sees_the_token(
    site: SignOnServer, visitor: Visitor
) -> None:
    visitor.sign_in("reader")
    answer = visitor.page("POST", "/auth/logout")
    address = answer.json["endSessionUrl"]
    assert "hint" not in address and "eyJ" not in answer.body.decode()
    left = visitor.ask("GET", urllib.parse.urljoin(site.url, address))
    assert left.location.startswith(f"{site.people.issuer}/session/end?")
    assert "=eyJ" in left.location
    assert visitor.ask("GET", left.location).status == 200
    again = visitor.ask("GET", urllib.parse.urljoin(site.url, address))
    assert again.location == "/", "the way to the provider is open once"


@pytest.mark.parametrize(
    ("account", "reads", "writes", "administers"),
    [
        ("newcomer", 403, 403, 403),
        ("reader", 200, 403, 403),
        ("writer", 200, 200, 403),
        ("admin", 200, 200, 200),
    ],
)
def test_people_may_what_their_token_says(
    visitor: Visitor, account: str, reads: int, writes: int, administers: int
) -> None:
    assert visitor.sign_in(account).location == "/"
    assert visitor.session["user"]["name"] == f"The {account}"
    assert visitor.page("GET", f"{N}/workflows").status == reads
    assert visitor.page("POST", f"{N}/workflows/{unique('w')}", START).status == writes
    made = {"namespace": unique("n"), "workflowExecutionRetentionPeriod": "86400s"}
    assert visitor.page("POST", "/api/v1/namespaces", made).status == administers
    told = visitor.page("GET", "/ui-api/permissions?namespace=default").json
    assert (told["principal"], told["read"]) == (account, reads == 200)
    listed = visitor.page("GET", "/api/v1/namespaces")
    assert listed.status == 200
    names = {it["namespaceInfo"]["name"] for it in listed.json.get("namespaces", [])}
    assert ("default" in names) == (reads == 200)
    assert ("other" in names) == (account == "admin")


def test_a_callback_is_taken_once(site: SignOnServer, visitor: Visitor) -> None:
    address = visitor.begin("writer")
    attempt = visitor.jar["localhost"][ATTEMPT]
    assert visitor.ask("GET", address).location == "/"
    visitor.jar["localhost"] = {ATTEMPT: attempt}
    assert refused(visitor.ask("GET", address)) == "state"
    assert ATTEMPT not in visitor.jar["localhost"]


def test_a_callback_belongs_to_the_browser_that_asked(site: SignOnServer, visitor: Visitor) -> None:
    address = visitor.begin("writer")
    victim = Visitor(site.url)
    assert refused(victim.ask("GET", address)) == "state"
    victim.begin("reader")
    assert refused(victim.ask("GET", address)) == "state"
    assert victim.session["user"] is None


def test_a_forged_state_signs_nobody_in(site: SignOnServer, visitor: Visitor) -> None:
    address = visitor.begin("writer")
    to = urllib.parse.urlsplit(address)
    query = dict(urllib.parse.parse_qsl(to.query))
    attempt = visitor.jar["localhost"][ATTEMPT]
    flipped = attempt[:-5] + ("A" if attempt[-5] != "A" else "B") + attempt[-4:]
    for state, cookie in [
        (query["state"][:-2] + "xx", attempt),
        ("", attempt),
        (query["state"], ""),
        (query["state"], flipped),
        (query["state"], attempt[:-8]),
    ]:
        forged = urllib.parse.urlencode(query | {"state": state})
        visitor.jar["localhost"] = {ATTEMPT: cookie} if cookie else {}
        assert refused(visitor.ask("GET", f"{site.url}{to.path}?{forged}")) == "state"
    visitor.jar["localhost"] = {ATTEMPT: attempt}
    assert visitor.ask("GET", address).location == "/", "the sign-in itself was not spent"


def test_nobody_is_sent_elsewhere_afterwards(site: SignOnServer, visitor: Visitor) -> None:
    for url in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        site.url.replace("localhost", "localhost.evil.example"),
    ]:
        answer = visitor.ask("GET", f"{site.url}/auth/sso?returnUrl={urllib.parse.quote(url, '')}")
        assert answer.status == 400 and not answer.cookies, url
        assert answer.header("location") is None
    looped = visitor.sign_in("reader", "?returnUrl=/auth/sso%3FreturnUrl%3D/")
    assert looped.location == "/"


def test_who_says_no_at_the_provider_is_told_so(site: SignOnServer, visitor: Visitor) -> None:
    answer = visitor.sign_in("nobody", "?returnUrl=/settings")
    assert refused(answer) == "denied" and "returnUrl=%2Fsettings" in answer.location
    assert refused(visitor.ask("GET", f"{site.url}/auth/sso?provider=none")) == "provider"
    address = visitor.begin("writer")
    to = urllib.parse.urlsplit(address)
    query = dict(urllib.parse.parse_qsl(to.query)) | {"code": "made-up"}
    made_up = f"{site.url}{to.path}?{urllib.parse.urlencode(query)}"
    assert refused(visitor.ask("GET", made_up)) == "provider"


def test_the_other_address_of_the_callback_works_too(visitor: Visitor) -> None:
    address = visitor.begin("reader").replace("/auth/sso/callback", "/auth/sso_callback")
    assert visitor.ask("GET", address).location == "/"


def test_what_changes_something_needs_a_page_of_this_server(
    site: SignOnServer, visitor: Visitor
) -> None:
    visitor.sign_in("writer")
    other = Visitor(site.url)
    other.sign_in("writer")
    path = f"{N}/workflows/{unique('csrf')}"
    nowhere = {"Origin": "", "Sec_Fetch_Site": ""}
    for headers in [
        {"X_CSRF_Token": ""},
        {"X_CSRF_Token": "x"},
        {"X_CSRF_Token": other.session["csrfToken"]},
        {"X_CSRF_Token": visitor.jar["localhost"][COOKIE]},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "", "Sec_Fetch_Site": "none"},
        nowhere,
    ]:
        for target in (path, "/auth/logout"):
            answer = visitor.page("POST", target, START, **headers)
            assert (answer.status, answer.json["code"]) == (403, 7), (headers, answer.body)
    assert visitor.page("GET", path).status == 404, "nothing was started"
    form = {"Content_Type": "application/x-www-form-urlencoded", "X_CSRF_Token": ""}
    assert visitor.page("POST", path, b"a=b", **form).status == 403
    assert visitor.page("POST", path, START).status == 200
    assert visitor.page("POST", f"{path}/terminate", {}, Origin="").status == 200


def test_a_request_with_its_own_token_is_not_touched(site: SignOnServer, visitor: Visitor) -> None:
    visitor.sign_in("writer")
    path = f"{site.url}{N}/workflows/{unique('own')}"
    token = site.token("reader")
    own = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    # No CSRF token is asked for, and the token's rights count, not those of the session.
    assert visitor.ask("POST", path, START, own).json["message"] == "Request unauthorized."
    assert visitor.ask("GET", site.url + N, headers=own).status == 200
    writer = own | {"Authorization": f"Bearer {site.token('writer')}"}
    assert visitor.ask("POST", path, START, writer).status == 200
    wrong = visitor.ask("GET", site.url + N, headers={"Authorization": "Bearer x"})
    assert (wrong.status, wrong.json["code"]) == (403, 7)


def test_sessions_survive_a_restart_and_signing_out_does_too(tmp_path: Path) -> None:
    with SignOnServer(tmp_path) as site:
        stays, leaves = Visitor(site.url), Visitor(site.url)
        stays.sign_in("writer")
        leaves.sign_in("reader")
        begun = Visitor(site.url)
        address = begun.begin("reader")
        copied = dict(leaves.jar["localhost"])
        token = stays.session["csrfToken"]
        assert leaves.page("POST", "/auth/logout").status == 200
        leaves.jar["localhost"] = copied
        site.server.restart_after_kill()
        assert stays.page("GET", N).status == 200
        assert stays.session["csrfToken"] == token
        assert_not_signed_in(leaves.page("GET", N))
        assert begun.ask("GET", address).location == "/"


def test_a_session_ends_when_it_is_not_used_or_old(tmp_path: Path) -> None:
    ages = {"sessionIdleTimeout": "3s", "maxSessionDuration": "8s"}
    with SignOnServer(tmp_path, auth=ages) as site:
        idle, busy = Visitor(site.url), Visitor(site.url)
        idle.sign_in("reader")
        busy.sign_in("reader")
        begin = time.monotonic()
        used = 0
        while (answer := busy.page("GET", N)).status == 200:
            used += 1
            time.sleep(0.3)  # somebody uses the UI
            assert time.monotonic() - begin < 20
        assert_not_signed_in(answer)
        assert time.monotonic() - begin > 6, "using a session keeps it"
        assert used > 10
        assert_not_signed_in(idle.page("GET", N))


def test_tokens_are_renewed_by_the_server(tmp_path: Path) -> None:
    with SignOnServer(tmp_path, token_seconds=4) as site:
        visitor = Visitor(site.url)
        visitor.sign_in("writer")
        begin = time.monotonic()

        def asked_at_once() -> list[int]:
            answers = []
            asking = [
                threading.Thread(target=lambda: answers.append(visitor.page("GET", N).status))
                for _ in range(5)
            ]
            [thread.start() for thread in asking]
            [thread.join() for thread in asking]
            return answers

        while time.monotonic() - begin < 11:
            assert asked_at_once() == [200] * 5
            time.sleep(0.5)  # tokens grow old
        # Each token of the provider's renews others once: had two requests asked, it would refuse.
        assert 2 <= site.people.renewed() <= 5
        assert visitor.page("POST", f"{N}/workflows/{unique('renewed')}", START).status == 200


def test_a_session_is_over_when_its_tokens_cannot_be_renewed(tmp_path: Path) -> None:
    with SignOnServer(tmp_path, token_seconds=4) as site:
        visitor = Visitor(site.url)
        visitor.sign_in("writer")
        site.people.forget()
        over = wait_for_sync(
            lambda: (page := visitor.page("GET", N)).status != 200 and page, "the end"
        )
        assert_not_signed_in(over)
        assert visitor.session["user"] is None
        assert visitor.sign_in("writer").location == "/", "signing in again helps"


def test_lists_say_who_may_come(tmp_path: Path) -> None:
    lists = {"allowedGroups": ["writers"], "allowedEmails": ["Reader@example.com"]}
    with SignOnServer(tmp_path, provider=lists) as site:
        for account in ("writer", "reader"):
            assert Visitor(site.url).sign_in(account).location == "/"
        assert refused(Visitor(site.url).sign_in("admin")) == "not-allowed"
        decided = [(line["decision"], line["outcome"]) for line in site.audited()]
        assert ("denied", "PERMISSION_DENIED") in decided


def test_an_identity_token_may_be_what_the_server_is_shown(tmp_path: Path) -> None:
    shows = {"useIdTokenAsBearer": True}
    rules = {"authorizer": "default", "audience": "ui", "permissionsClaimName": "groups"}
    with SignOnServer(tmp_path, provider=shows, settings={}) as site:
        # Its audience is the UI, and this server takes tokens for `temporal` only.
        assert refused(Visitor(site.url).sign_in("writer")) == "provider"
        assert "global.authorization does not take" in site.server.log_tail(200)
        site.settings["global"]["authorization"] |= rules
        site.server.stop()
        site.server.start()
        visitor = Visitor(site.url)
        assert visitor.sign_in("writer").location == "/"
        assert visitor.page("GET", "/ui-api/permissions").json["principal"] == "writer"


def test_what_ends_a_session_ends_its_streams(site: SignOnServer, visitor: Visitor) -> None:
    visitor.sign_in("writer")
    port = urllib.parse.urlsplit(site.url).port
    path = f"/ui-api/namespaces/default/workflows/stream?query={urllib.parse.quote('')}"
    cookie = f"{COOKIE}={visitor.jar['localhost'][COOKIE]}"
    with socket.create_connection(("localhost", port), timeout=30) as stream:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n"
        stream.sendall(head.encode())
        begins = stream.recv(65536)
        assert begins.startswith(b"HTTP/1.1 200"), begins
        assert visitor.page("POST", "/auth/logout").status == 200
        stream.settimeout(10)
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            more = stream.recv(65536)
            assert more, "the connection broke"
            rest += more


def test_the_provider_signs_people_out(site: SignOnServer, visitor: Visitor) -> None:
    visitor.sign_in("reader")
    stays = Visitor(site.url)
    stays.sign_in("reader")
    # The provider's own page for signing out, as a browser with two tabs has it.
    page = visitor.ask("GET", f"{site.people.issuer}/session/end")
    secret = page.body.decode().split('name="xsrf" value="')[1].split('"')[0]
    form = urllib.parse.urlencode({"xsrf": secret, "logout": "yes"}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    visitor.ask("POST", f"{site.people.issuer}/session/end/confirm", form, kind)
    wait_for_sync(lambda: visitor.session["user"] is None, "the session is over")
    assert_not_signed_in(visitor.page("GET", N))
    assert stays.page("GET", N).status == 200
    for token in ["", "logout_token=x", f"logout_token={site.token('reader')}"]:
        answer = stays.ask("POST", f"{site.url}/auth/backchannel-logout", token.encode(), kind)
        assert answer.status == 400, answer.body
    assert stays.page("GET", N).status == 200


def test_tokens_are_nowhere_in_the_clear(tmp_path: Path) -> None:
    with SignOnServer(tmp_path, settings={"log": {"level": "debug", "format": "text"}}) as site:
        visitor = Visitor(site.url)
        address = visitor.begin("writer")
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))["code"]
        visitor.ask("GET", address)
        session = visitor.jar["localhost"][COOKIE]
        csrf = visitor.session["csrfToken"]
        assert visitor.page("POST", f"{N}/workflows/{unique('canary')}", START).status == 200
        visitor.page("POST", "/auth/logout")
        Visitor(site.url).sign_in("writer")
        site.server.stop()
        # What a token of this provider begins with, and the mail address of the person.
        header = base64.urlsafe_b64encode(b'{"alg":"RS256"').rstrip(b"=")[:16]
        secrets = [header, code, session, csrf, CLIENT_SECRET, "writer@example.com"]
        assert site.server.log.read_bytes(), "there is a log"
        searched = [site.server.log, *tmp_path.rglob("*")]
        skipped = {site.server.configuration, tmp_path / "people.log"}
        for file in (it for it in searched if it.is_file() and it not in skipped):
            found = file.read_bytes()
            for secret in secrets:
                secret = secret.encode() if isinstance(secret, str) else secret
                assert secret not in found, (file, secret)


def test_answers_are_bound_to_this_server(site: SignOnServer, visitor: Visitor) -> None:
    answers = [
        visitor.ask("GET", f"{site.url}/auth/sso"),
        visitor.ask("GET", f"{site.url}/auth/sso/callback?code=x&state=y"),
        visitor.page("POST", "/auth/logout"),
        visitor.ask("GET", f"{site.url}/ui-api/session"),
        visitor.ask("GET", f"{site.url}/auth/end-session?ticket=x"),
    ]
    for answer in answers:
        headers = dict(answer.headers)
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers, "this is not encrypted"
    for host in ["evil.example", "localhost.evil.example"]:
        answer = visitor.ask("GET", f"{site.url}/auth/sso", headers={"Host": host})
        assert answer.status == 403
    framed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert visitor.ask("GET", f"{site.url}/ui-api/session", headers=framed).status == 403


def test_over_encrypted_connections_cookies_belong_to_the_host(
    tmp_path: Path, authority: Authority
) -> None:
    pair = authority.server("sign-on")
    server = {"certFile": str(pair.certificate), "keyFile": str(pair.key)}
    trees = {"tls": {"frontend": {"server": server}}}
    with SignOnServer(tmp_path / "site", scheme="https", settings={"global": trees}) as site:
        visitor = Visitor(site.url, str(authority.own.certificate))
        begun = visitor.ask("GET", f"{site.url}/auth/sso")
        (attempt,) = begun.cookies
        assert attempt.startswith(f"__Host-{ATTEMPT}=")
        signed_in = visitor.sign_in("reader")
        kept = [cookie for cookie in signed_in.cookies if f"{COOKIE}=" in cookie]
        for cookie in (attempt, *kept):
            assert cookie.startswith("__Host-"), cookie
            assert "; Path=/;" in cookie and "; Secure" in cookie and "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie and "Domain" not in cookie
        assert kept and visitor.page("GET", N).status == 200
        for answer in (begun, signed_in, visitor.page("GET", N)):
            assert answer.header("strict-transport-security") == "max-age=31536000"
        # A cookie without the prefix, as another host of the domain could set it, is none.
        value = visitor.jar["localhost"][f"__Host-{COOKIE}"]
        visitor.jar["localhost"] = {COOKIE: value}
        assert_not_signed_in(visitor.page("GET", N))
        path = f"{N}/workflows/{unique('w')}"
        visitor.jar["localhost"] = {f"__Host-{COOKIE}": value}
        plain = site.url.replace("https", "http")
        assert visitor.page("POST", path, START, Origin=plain).status == 403


def test_variables_of_the_reference_are_enough(tmp_path: Path) -> None:
    with SignOnServer(tmp_path) as site:
        (provider,) = site.settings["auth"]["providers"]
        site.server.stop()
        del site.server.settings["auth"]
        site.server.environment = {
            "TEMPORAL_AUTH_ENABLED": "true",
            "TEMPORAL_AUTH_LABEL": "variables",
            "TEMPORAL_AUTH_PROVIDER_URL": provider["providerUrl"],
            "TEMPORAL_AUTH_ISSUER_URL": provider["providerUrl"],
            "TEMPORAL_AUTH_CLIENT_ID": provider["clientId"],
            "TEMPORAL_AUTH_CLIENT_SECRET": provider["clientSecret"],
            "TEMPORAL_AUTH_CALLBACK_URL": provider["callbackUrl"],
            "TEMPORAL_AUTH_SCOPES": "openid,profile email",
        }
        site.server.start()
        visitor = Visitor(site.url)
        assert visitor.session["providers"] == [{"name": "variables", "label": "variables"}]
        assert visitor.sign_in("reader").location == "/"


def test_a_configuration_that_cannot_work_is_refused(tmp_path: Path) -> None:
    ui = {"http": {"listen": ""}, "ui": {"enabled": True}}
    variables = {"TEMPORAL_AUTH_ENABLED": "true", "TEMPORAL_AUTH_CLIENT_ID": "ui"}
    said = SecuredServer(tmp_path, ui, variables).refuses_to_start()
    for text in [
        "auth provider url is not",
        "auth callback url is not set",
        "nobody asks who calls",
    ]:
        assert text in said, said
