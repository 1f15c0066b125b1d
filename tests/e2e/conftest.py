"""Fixtures of every suite: one server for each pytest process, and names no other test uses."""

import os
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness")

from temporalio.client import Client

from harness.sdk import unique
from harness.server import Server

PINNED = re.search(
    r"^temporalio==(.*)$", (Path(__file__).parent / "requirements.txt").read_text(), re.MULTILINE
).group(1)
IS_PINNED_SDK = version("temporalio") == PINNED

# Its messages are newer than the oldest SDK.
collect_ignore = [] if IS_PINNED_SDK else ["python/test_run_time_skipping.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server in memory that all tests of this process share."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
async def client(server: Server) -> Client:
    """A client of the shared server."""
    return await Client.connect(server.address)


@pytest.fixture
def queue() -> str:
    """A task queue of the test's own."""
    return unique("queue")


@pytest.fixture
def workflow_id() -> str:
    """A workflow id of the test's own."""
    return unique("workflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what later issues build, unless asked for, and what an older SDK cannot do."""
    for item in items:
        marker = item.get_closest_marker("pinned_sdk")
        if marker and not IS_PINNED_SDK:
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))
    if os.environ.get("LONGTIDE_E2E_NEXT"):
        return
    for item in items:
        if item.get_closest_marker("not_built_yet"):
            item.add_marker(pytest.mark.skip(reason="not built yet"))
