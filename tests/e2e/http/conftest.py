"""A server with HTTP on a known port, which all tests of a file share."""

from collections.abc import Iterator

import pytest

from harness.http_api import HttpServer


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running
