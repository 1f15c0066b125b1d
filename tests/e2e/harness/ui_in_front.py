"""`longtide ui`: the web UI as a process of its own, in front of another server."""

import atexit
import os
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from harness.http_api import Answer, ask
from harness.server import executable, free_port

START_SECONDS = 20


class UiInFront:
    """The process, which knows the server at `address` and listens on a port of its own."""

    def __init__(self, address: str, *arguments: str, **variables: str) -> None:
        self.port = free_port()
        self.log = Path(tempfile.mkstemp(prefix="e2e-ui-", suffix=".log")[1])
        self.home = tempfile.mkdtemp(prefix="e2e-ui-home-")
        self.arguments = ("--address", address, *arguments)
        self.variables = variables
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Sends a request and gives the answer, whatever its status."""
        return ask(method, self.url + path, body, headers)

    def __enter__(self) -> "UiInFront":
        known = {"HOME": self.home, "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            [executable(), "ui", "--port", str(self.port), *self.arguments],
            env=known | self.variables,
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        atexit.register(self.process.kill)
        deadline = time.monotonic() + START_SECONDS
        while not self._serves():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return self

    def _serves(self) -> bool:
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        for scheme in ("http", "https"):
            url = f"{scheme}://localhost:{self.port}/healthz"
            try:
                context = anybody if scheme == "https" else None
                with urllib.request.urlopen(url, timeout=5, context=context) as answer:
                    return answer.status == 200
            except (urllib.error.URLError, OSError, HTTPException):
                continue
        return False

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace")

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
