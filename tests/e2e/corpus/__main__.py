"""Plays every scenario on the server under test and writes what it says about each run.

Each run becomes two files: `NAME.history`, an encoded History, and `NAME.description`, an encoded
DescribeWorkflowExecutionResponse taken at the same moment.
"""

import argparse
import asyncio
import dataclasses
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import History
from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverter

from corpus import raw_scenarios, sdk_scenarios
from harness.raw import Raw
from harness.server import Server
from harness.waiting import wait_for


class WithoutPlaces(DefaultFailureConverter):
    """Failures that do not tell where the recorder's files are."""

    def to_failure(self, exception, payload_converter, failure) -> None:
        """Converts a failure and leaves its stack traces out."""
        super().to_failure(exception, payload_converter, failure)
        while failure.ByteSize():
            failure.ClearField("stack_trace")
            failure = failure.cause


PLACELESS = dataclasses.replace(DataConverter.default, failure_converter_class=WithoutPlaces)


async def record(raw: Raw, directory: Path, name: str, run: WorkflowExecution) -> None:
    """Writes the run's history and its description, both of the same moment."""

    def same_moment():
        before = raw.history(run)
        description = raw.call("DescribeWorkflowExecution", execution=run)
        return (before, description) if before == raw.history(run) else None

    events, description = await wait_for(same_moment, f"a quiet moment of {name}")
    history = History(events=events)
    (directory / f"{name}.history").write_bytes(history.SerializeToString(deterministic=True))
    (directory / f"{name}.description").write_bytes(
        description.SerializeToString(deterministic=True)
    )
    print(f"{name}: {len(events)} events, {history.ByteSize()} bytes")


async def main(directory: Path) -> None:
    """Records all scenarios."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in [*directory.glob("*.history"), *directory.glob("*.description")]:
        old.unlink()
    with Server() as server:
        raw = Raw(server.address)
        for scenario in raw_scenarios.ALL:
            for name, run in scenario(raw).items():
                await record(raw, directory, name, run)
        client = await Client.connect(server.address, data_converter=PLACELESS, identity="corpus")
        async for name, run in sdk_scenarios.play(client):
            await record(raw, directory, name, run)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("directory", type=Path)
asyncio.run(main(parser.parse_args().directory))
