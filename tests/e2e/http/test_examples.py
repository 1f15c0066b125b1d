"""The examples of the guide do what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.http_api import HttpServer

GUIDE = Path(__file__).parents[3] / "docs/guide/http-api.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE_SECONDS = 60


def examples() -> list[tuple[str, str]]:
    return [
        (kind, code)
        for kind, code in BLOCK.findall(GUIDE.read_text())
        if not code.startswith("longtide ")
    ]


def test_the_guide_has_examples() -> None:
    assert {kind for kind, _ in examples()} == {"sh", "python"}


@pytest.mark.xdist_group("examples")
def test_every_example_runs(server: HttpServer) -> None:
    for kind, code in examples():
        code = code.replace("http://localhost:7243", server.url)
        program = [sys.executable, "-c"] if kind == "python" else ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run(
            [*program, code],
            capture_output=True,
            text=True,
            timeout=EXAMPLE_SECONDS,
        )
        # The reader of a pipe may close it before all is written.
        assert done.returncode in ((0, 23, 141) if "| head" in code else (0,)), (
            f"{code}\n{done.stdout}\n{done.stderr}"
        )
        if kind == "sh":
            assert done.stdout.strip(), code
