"""Our command line and the reference's, pointed at the same server."""

import base64
import json
import os
from pathlib import Path

import pytest

from harness.answers import stable, without_ages
from harness.codec_servers import samples_codec_server
from harness.command_line import REFERENCE, Cli
from harness.raw import Raw
from harness.sdk import unique
from harness.server import Server, executable


@pytest.fixture(scope="session")
def program() -> str:
    """Our command line; by default the server's own program."""
    return os.environ.get("LONGTIDE_E2E_CLI") or executable()


@pytest.fixture(scope="session")
def ours(program: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Our command line with a home of its own."""
    return Cli(program, server.address, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="session")
def theirs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The reference's command line with a home of its own."""
    return Cli(REFERENCE, server.address, tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="session")
def raw(server: Server):
    """A client for what a worker would do between two commands."""
    client = Raw(server.address)
    yield client
    client.channel.close()


@pytest.fixture
def same(ours: Cli, theirs: Cli):
    """Asserts that both answer a reading command with the same JSON."""

    def check(*words: str, rows: bool = False):
        left, right = (without_ages(cli.json(*words)) for cli in (ours, theirs))
        for answer in (left, right):
            if isinstance(answer, dict) and isinstance(answer.get("stats"), list):
                # The reference's order is any.
                answer["stats"].sort(key=lambda row: row["taskQueueType"])
        assert left == right, f"{' '.join(words)}\n{json.dumps(left)}\n{json.dumps(right)}"
        for form in ("jsonl",) if rows else ():
            lines = [
                [json.loads(line) for line in cli.text(*words, "-o", form).splitlines()]
                for cli in (ours, theirs)
            ]
            assert lines[0] == lines[1]
        return left

    return check


@pytest.fixture
def both(ours: Cli, theirs: Cli):
    """Runs a writing command with each, under names of their own, and compares what they say."""

    def check(*words: str, names: tuple[str, ...] = ()):
        answers = []
        for cli in (ours, theirs):
            own = {name: unique(name) for name in names}
            swapped = [own.get(word, word) for word in words]
            answer = cli.json(*swapped, "--identity", "me")
            answers.append(stable(answer, {made: name for name, made in own.items()}))
        assert answers[0] == answers[1], json.dumps(answers)
        return answers[0]

    return check


@pytest.fixture
def codec_keys(tmp_path: Path) -> Path:
    """The keys of the SDKs' samples."""
    path = tmp_path / "keys"
    key = base64.b64encode(b"test-key-test-key-test-key-test!").decode()
    path.write_text(f"test-key-id: {key}\n")
    return path


@pytest.fixture
def samples_server(codec_keys: Path):
    """A codec server as the Python SDK's encryption sample is one."""
    with samples_codec_server(codec_keys) as server:
        yield server
