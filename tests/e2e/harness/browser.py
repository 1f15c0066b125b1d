"""A browser as far as signing in needs one: cookies, redirects, what browsers say of themselves."""

import http.client
import json
import re
import ssl
import urllib.parse
from dataclasses import dataclass

ANSWER_SECONDS = 30.0
REDIRECTS_MAX = 20


@dataclass(frozen=True)
class Page:
    """What came back; names of headers are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def location(self) -> str:
        found = self.header("location")
        assert found, (self.status, self.body)
        return found

    @property
    def cookies(self) -> list[str]:
        return [value for name, value in self.headers if name == "set-cookie"]

    @property
    def json(self):
        return json.loads(self.body)


class Browser:
    """Keeps the cookies of each host, and follows no redirect unless told."""

    def __init__(self, root: str | None = None) -> None:
        self.jar: dict[str, dict[str, str]] = {}
        self.tls = ssl.create_default_context(cafile=root) if root else None

    def ask(
        self,
        method: str,
        address: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Page:
        """One request; `body` is sent as JSON unless it is bytes."""
        to = urllib.parse.urlsplit(address)
        if to.scheme == "https":
            connection = http.client.HTTPSConnection(
                to.hostname, to.port, timeout=ANSWER_SECONDS, context=self.tls
            )
        else:
            connection = http.client.HTTPConnection(to.hostname, to.port, timeout=ANSWER_SECONDS)
        sent = dict(headers or {})
        jar = self.jar.setdefault(to.hostname, {})
        if jar and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        path = urllib.parse.urlunsplit(("", "", to.path or "/", to.query, ""))
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            page = Page(
                answer.status,
                [(name.lower(), value) for name, value in answer.getheaders()],
                answer.read(),
            )
        finally:
            connection.close()
        for cookie in page.cookies:
            self._keep(jar, cookie)
        return page

    def _keep(self, jar: dict[str, str], cookie: str) -> None:
        pair, _, attributes = cookie.partition(";")
        name, _, value = pair.partition("=")
        is_over = re.search(r"max-age=0\b|expires=Thu, 01 Jan 1970", attributes, re.IGNORECASE)
        if is_over or not value:
            jar.pop(name, None)
        else:
            jar[name] = value

    def follow(self, address: str, until: str) -> str:
        """Follows redirects up to the first address that begins so, which is not asked."""
        for _ in range(REDIRECTS_MAX):
            if address.startswith(until):
                return address
            page = self.ask("GET", address)
            assert page.status in (302, 303), (address, page.status, page.body)
            address = urllib.parse.urljoin(address, page.location)
        raise AssertionError(f"no end of redirects: {address}")


class Visitor(Browser):
    """Somebody who uses the web UI of a server."""

    def __init__(self, url: str, root: str | None = None) -> None:
        super().__init__(root)
        self.url = url

    def begin(self, account: str, query: str = "") -> str:
        """Goes to the provider as this person; gives the address that it sends back to."""
        begun = self.ask("GET", f"{self.url}/auth/sso{query}")
        assert begun.status == 302, begun.body
        address = f"{begun.location}&login_hint={account}"
        return self.follow(address, f"{self.url}/auth/sso")

    def sign_in(self, account: str, query: str = "") -> Page:
        """The whole way; gives the answer to what the provider sent back."""
        return self.ask("GET", self.begin(account, query))

    @property
    def session(self) -> dict:
        """What a page is told of its session."""
        answer = self.ask("GET", f"{self.url}/ui-api/session")
        assert answer.status == 200
        return answer.json

    def page(self, method: str, path: str, body: object = None, **headers: str) -> Page:
        """What a page of the UI asks: a header that is empty is left out."""
        sent = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            sent |= {
                "Content-Type": "application/json",
                "X-CSRF-Token": self.session["csrfToken"] or "none",
            }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value}
        return self.ask(method, self.url + path, body, sent)
