"""A server whose callers have tokens, and whose operator has Cedar policies."""

import urllib.request
from pathlib import Path

from temporalio.client import Client

from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, publish


class RuledServer(SecuredServer):
    """A server with policies in a folder, which it reads again ten times a second."""

    def __init__(self, folder: Path, key: SigningKey, rules: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        publish(folder / "keys.json", key)
        self.key, self.rules = key, folder / "policies"
        self.rules.mkdir()
        self.write(rules)
        policies = {"directory": str(self.rules), "refreshInterval": "100ms"} | settings
        authorization = {
            "authorizer": "default",
            "jwtKeyProvider": {"keySourceURIs": [f"file://{folder}/keys.json"]},
            "policies": policies,
        }
        self.metrics_port = free_port()
        metrics = {"listen": f"127.0.0.1:{self.metrics_port}"}
        super().__init__(
            folder / "server", {"global": {"authorization": authorization}, "metrics": metrics}
        )

    def write(self, rules: str, name: str = "rules.cedar") -> None:
        """Puts a file of policies into its place, as a whole."""
        aside = self.rules / f"{name}.new"
        aside.write_text(rules)
        aside.rename(self.rules / name)

    def token(self, who: str, *permissions: str) -> str:
        """A token of this caller."""
        return self.key.token(*permissions, sub=who)

    async def client(self, who: str, *permissions: str) -> Client:
        """The SDK's client with a token of this caller."""
        return await Client.connect(self.address, api_key=self.token(who, *permissions), tls=False)

    def counted(self, name: str) -> int:
        """A counter among the server's metrics."""
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        (line,) = [line for line in lines if line.split(" ")[0] in (name, f"{name}_total")]
        return int(float(line.split(" ")[1]))
