"""Programs of the folder `typescript/secured`: a worker of the TypeScript SDK, an OpenID Connect
provider."""

import base64
import json
import subprocess
import urllib.request
from pathlib import Path

from harness.server import free_port
from harness.waiting import wait_for, wait_for_sync

FOLDER = Path(__file__).parent.parent / "typescript" / "secured"


class Program:
    """A program of Node; it says `ready` when it is."""

    def __init__(self, log: Path, script: str, *words: str, ready: str) -> None:
        self.log = log
        self.process = subprocess.Popen(
            ["node", str(FOLDER / script), *words],
            stdin=subprocess.PIPE,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
        )

        def is_ready() -> bool:
            said = log.read_text()
            assert self.process.poll() is None, said
            return ready in said

        wait_for_sync(is_ready, f"{script} is ready", seconds=60)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


class TypeScriptWorker(Program):
    """A worker with a workflow `greets` and its activity."""

    def __init__(self, log: Path, **options: object) -> None:
        super().__init__(log, "worker.mjs", json.dumps(options), ready="polls")

    async def has_another_token(self) -> None:
        """Waits until a token that it asked for after now is the one that it shows."""
        # The first that it tells may have been asked for before.
        wanted = self.log.read_text().count("another token") + 2
        await wait_for(
            lambda: self.log.read_text().count("another token") >= wanted, "a token is renewed"
        )

    def stop(self) -> None:
        """Lets it finish."""
        self.process.communicate(b"\n", timeout=30)
        assert self.process.returncode == 0, self.log.read_text()


class Provider(Program):
    """An OpenID Connect provider whose clients may write and work in `default`."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        super().__init__(log, "provider.mjs", str(self.port), ready="listens")

    def token(self) -> str:
        """An access token."""
        basic = base64.b64encode(b"worker:worker-secret").decode()
        request = urllib.request.Request(
            f"{self.issuer}/token",
            data=b"grant_type=client_credentials",
            headers={"authorization": f"Basic {basic}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["access_token"]

    def rotate(self) -> None:
        """Another key signs from now on, and nobody vouches for the former one."""
        request = urllib.request.Request(f"{self.issuer}/rotate", method="POST")
        urllib.request.urlopen(request, timeout=30).close()
