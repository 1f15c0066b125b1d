"""What the tests of this suite share: authorities and workflows that need nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.certificates import Authority

CLI = Path(sys.executable).parent / "temporal"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that servers and clients of these tests trust."""
    return Authority(tmp_path_factory.mktemp("trusted"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("strange"), "stranger")


@pytest.fixture
def cli(tmp_path: Path):
    """Runs a command of the `temporal` CLI with these words and variables."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
        return subprocess.run(
            [str(CLI), *words],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=30,
            stdin=subprocess.DEVNULL,
        )

    return run
