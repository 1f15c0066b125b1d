"""Programs in Rust, Go and Java that do what docs/guide shows: workers, and payloads by hand."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SUITES = Path(__file__).parent.parent
BUILD_SECONDS = 900
"""How long a language may take to fetch and build what a program needs, the first time."""


def _built(words: list[str], folder: Path) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"


@functools.cache
def rust(example: str) -> tuple[str, ...]:
    """The command line of an example in Rust, built."""
    folder = SUITES / "rust"
    _built(["cargo", "build", "--quiet", "--locked", "--example", example], folder)
    # Where cargo builds is for it to say: a run of all tests may have set another folder.
    asked = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    told = subprocess.run(asked, cwd=folder, capture_output=True, check=True, timeout=60)
    return (f"{json.loads(told.stdout)['target_directory']}/debug/examples/{example}",)


@functools.cache
def go() -> tuple[str, ...]:
    """The command line of the program in Go, built."""
    program = SUITES / ".cache" / f"secured-go-{os.getpid()}"
    _built(["go", "build", "-o", str(program), "./secured"], SUITES / "go")
    return (str(program),)


@functools.cache
def java() -> tuple[str, ...]:
    """The command line of the program in Java, built."""
    folder = SUITES / "java"
    classpath = folder / "target" / f"classpath-{os.getpid()}"
    _built(
        [
            *("mvn", "--batch-mode", "--quiet", "test-compile", "dependency:build-classpath"),
            *(f"-Dmdep.outputFile={classpath}", "-Dmdep.includeScope=test"),
        ],
        folder,
    )
    classes = f"{folder}/target/test-classes:{classpath.read_text().strip()}"
    return ("java", "-cp", classes, "longtide.secured.Secured")


def done_by(program: tuple[str, ...], *words: str, given: str = "") -> str:
    """What a program printed, which must succeed."""
    done = subprocess.run(
        [*program, *words], input=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
