"""A server that is started from a configuration file, with encryption and identities."""

import atexit
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import grpc

from harness.server import START_SECONDS, Server, executable


class SecuredServer(Server):
    """A durable server of `server start --config`; `settings` are merged into the file."""

    def __init__(self, folder: Path, settings: dict, environment: dict | None = None) -> None:
        super().__init__()
        self.folder = folder
        self.configuration = folder / "longtide.yaml"
        self.environment = environment or {}
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "data_directory": str(folder / "data"),
            "namespaces": [{"name": "default"}, {"name": "other"}],
            "log": {"level": "info", "format": "text"},
            "http": {"listen": ""},
        } | settings

    def start(self) -> "SecuredServer":
        self._write()
        self.log_begins = self.log.stat().st_size
        self.process = self._spawn()
        if not self._serving():
            self.kill()
            raise RuntimeError(f"the server did not start:\n{self.log_tail()}")
        return self

    def refuses_to_start(self) -> str:
        """What the server says when it does not start."""
        self._write()
        done = subprocess.run(
            self._command_line(),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            env=os.environ | self.environment,
        )
        assert done.returncode == 1, done.stdout
        return done.stderr

    def _write(self) -> None:
        # JSON is YAML.
        listen = {"listen": f"127.0.0.1:{self.port}"}
        self.configuration.write_text(json.dumps(listen | self.settings))

    def _spawn(self) -> subprocess.Popen[bytes]:
        atexit.register(self.kill)
        return subprocess.Popen(
            self._command_line(),
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
            env=os.environ | self.environment,
        )

    def _command_line(self) -> list[str]:
        return [executable(), "server", "start", "--config", str(self.configuration)]

    def _serving(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            # The port is bound first and served last: the line says when.
            if b"listens on" in self.log.read_bytes()[self.log_begins :]:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                    return True
            time.sleep(0.02)  # between two looks at a condition
        return False


def secure_channel(
    address: str,
    root: bytes,
    certificate: Path | None = None,
    key: Path | None = None,
    name: str = "",
) -> grpc.Channel:
    """A channel that trusts one authority and, if told, shows a certificate."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=root,
        private_key=key.read_bytes() if key else None,
        certificate_chain=certificate.read_bytes() if certificate else None,
    )
    options = [("grpc.ssl_target_name_override", name)] if name else []
    options += [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
    return grpc.secure_channel(address, credentials, options)
