"""An OpenID Connect provider for people, and servers whose web UI they sign in to."""

import base64
import hashlib
import json
import secrets
import urllib.parse
import urllib.request
from pathlib import Path

from harness.browser import Browser
from harness.node import Program
from harness.secured import SecuredServer
from harness.server import free_port

CLIENT_SECRET = "ui-secret-canary"


class People(Program):
    """The provider: `newcomer`, `reader`, `writer` and `admin` sign in, and `nobody` does not."""

    def __init__(self, log: Path, url: str, token_seconds: int = 300) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        settings = {"port": self.port, "url": url, "tokenSeconds": token_seconds}
        super().__init__(log, "people.mjs", json.dumps(settings), ready="listens")

    def forget(self) -> None:
        """Nobody has a session or a token any more."""
        request = urllib.request.Request(f"{self.issuer}/forget", method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def token(self, account: str, callback: str) -> str:
        """An access token of somebody, as an application of their own gets it."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": "ui",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": callback,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "login_hint": account,
        }
        address = f"{self.issuer}/auth?{urllib.parse.urlencode(query)}"
        back = urllib.parse.urlsplit(Browser().follow(address, callback))
        form = {
            "grant_type": "authorization_code",
            "code": dict(urllib.parse.parse_qsl(back.query))["code"],
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        basic = base64.b64encode(f"ui:{CLIENT_SECRET}".encode()).decode()
        request = urllib.request.Request(
            f"{self.issuer}/token",
            data=urllib.parse.urlencode(form).encode(),
            headers={"authorization": f"Basic {basic}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["access_token"]

    def renewed(self) -> int:
        """How often tokens were renewed."""
        with urllib.request.urlopen(f"{self.issuer}/counts", timeout=30) as answer:
            return json.load(answer)["renewed"]


class SignOnServer:
    """A server with a web UI, and the provider that its people come from."""

    def __init__(
        self,
        folder: Path,
        *,
        token_seconds: int = 300,
        provider: dict | None = None,
        auth: dict | None = None,
        settings: dict | None = None,
        scheme: str = "http",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        http_port = free_port()
        self.url = f"{scheme}://localhost:{http_port}"
        self.people = People(folder / "people.log", self.url, token_seconds)
        self.audit = folder / "audit"
        rules = {
            "authorizer": "default",
            "oidcIssuers": [self.people.issuer],
            "audience": "temporal",
            "leeway": "1s",
        }
        usual = {
            "label": "People",
            "name": "people",
            "type": "oidc",
            "providerUrl": self.people.issuer,
            "clientId": "ui",
            "clientSecret": CLIENT_SECRET,
            "callbackUrl": f"{self.url}/auth/sso/callback",
        }
        further = settings or {}
        self.settings = {
            "http": {"listen": f"127.0.0.1:{http_port}"},
            "ui": {"enabled": True},
            "audit": {"directory": str(self.audit), "data_plane": "all"},
            "auth": {"enabled": True, "providers": [usual | (provider or {})]} | (auth or {}),
        } | {name: value for name, value in further.items() if name != "global"}
        self.settings["global"] = {"authorization": rules} | further.get("global", {})
        self.server = SecuredServer(folder / "server", self.settings)

    def __enter__(self) -> "SignOnServer":
        try:
            self.server.start()
        except BaseException:
            self.people.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__(None, None, None)
        self.people.__exit__()

    def token(self, account: str) -> str:
        """An access token of somebody, as a program has it: straight from the provider."""
        return self.people.token(account, f"{self.url}/auth/sso/callback")

    def audited(self) -> list[dict]:
        """What the audit log has of people who came or left."""
        lines = [
            json.loads(line)
            for file in sorted(self.audit.rglob("*"))
            if file.is_file()
            for line in file.read_bytes().splitlines()
            if b"longtide.SingleSignOn" in line
        ]
        return lines
