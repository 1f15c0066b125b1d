"""The server under test: one process, started, killed and started again by a suite.

The executable comes from LONGTIDE_E2E_SERVER and has to understand `server start-dev`, as both
`longtide` and `temporal` do, so that one suite runs unchanged on either.
"""

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import grpc
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

START_SECONDS = 30.0
"""How long a server may take from its start until it serves the namespace `default`."""

STARTS = 3
"""How often a start is tried: another process can take a free port before the server binds it."""

SEARCH_ATTRIBUTES = {
    "CustomKeywordField": "Keyword",
    "CustomTextField": "Text",
    "CustomIntField": "Int",
    "CustomDoubleField": "Double",
    "CustomBoolField": "Bool",
    "CustomDatetimeField": "Datetime",
}
"""The custom search attributes that every server of these suites is started with."""


FEATURES = (
    "frontend.enableCancelWorkerPollsOnShutdown=true",
    "frontend.WorkflowPauseEnabled=true",
    "frontend.workflowRulesAPIsEnabled=true",
    "history.enableSignalWithStartFromWorkflow=true",
    "history.enableUpdateCallbacks=true",
    "nexusoperation.enableStandalone=true",
)
"""What the reference serves only when it is told to; here it is always on."""


def executable() -> str:
    """The path of the server under test."""
    path = os.environ.get("LONGTIDE_E2E_SERVER")
    if not path:
        raise RuntimeError("LONGTIDE_E2E_SERVER must name the server's executable")
    return str(Path(path).resolve())


def free_port() -> int:
    """A TCP port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server process on a port of its own; in memory, or durable when given a file."""

    def __init__(
        self,
        db_filename: Path | None = None,
        arguments: tuple[str, ...] = (),
        program: str | None = None,
    ) -> None:
        self.program = program or executable()
        self.db_filename = db_filename
        self.arguments = arguments
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = Path(tempfile.mkstemp(prefix="e2e-server-", suffix=".log")[1])

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Starts the process and returns once it serves; a restarted server keeps its port."""
        for attempt in range(STARTS):
            self.process = subprocess.Popen(
                self._command_line(),
                stdin=subprocess.DEVNULL,
                stdout=self.log.open("ab"),
                stderr=subprocess.STDOUT,
            )
            atexit.register(self.kill)
            if self._serving():
                return self
            self.kill()
            if not self._was_ever_serving and attempt + 1 < STARTS:
                self.port = free_port()
        raise RuntimeError(f"the server did not start:\n{self.log_tail()}")

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> int | None:
        """Asks the process to end (SIGTERM) and gives its exit code."""
        return self._end(signal.SIGTERM)

    def restart_after_kill(self) -> None:
        """SIGKILL, then a start on the same port and the same file."""
        self.kill()
        self.start()

    def log_tail(self, lines: int = 40) -> str:
        """The last lines that the process printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.log.unlink(missing_ok=True)

    _was_ever_serving = False

    def _command_line(self) -> list[str]:
        line = [self.program, "server", "start-dev", "--port", str(self.port)]
        line += ["--headless", "--log-level", "warn"]
        for name, kind in SEARCH_ATTRIBUTES.items():
            line += ["--search-attribute", f"{name}={kind}"]
        for feature in FEATURES:
            line += ["--dynamic-config-value", feature]
        if self.db_filename is not None:
            line += ["--db-filename", str(self.db_filename)]
        return line + list(self.arguments)

    def _serving(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        with grpc.insecure_channel(self.address, _RECONNECT_AT_ONCE) as channel:
            describe = service.WorkflowServiceStub(channel).DescribeNamespace
            request = messages.DescribeNamespaceRequest(namespace="default")
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    describe(request, timeout=5, wait_for_ready=True)
                except grpc.RpcError:
                    time.sleep(0.02)  # between two looks at a condition
                else:
                    self._was_ever_serving = True
                    return True
        return False

    def _end(self, how: signal.Signals) -> int | None:
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process = None
        atexit.unregister(self.kill)
        return code


_RECONNECT_AT_ONCE = [
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 50),
]
