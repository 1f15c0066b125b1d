"""Our command line and the reference's, pointed at the same server."""

import os

import pytest

from harness.command_line import REFERENCE, Cli
from harness.raw import Raw
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
