"""Makes many schedules whose times are spread over a minute, and measures how late they act.

The server is the one that `LONGTIDE_E2E_SERVER` names, on a file. No worker runs: what is measured
is the time between a schedule's time and the start of its workflow, as the server's own
descriptions say.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.workflowservice.v1 import CreateScheduleRequest, DescribeScheduleRequest
from temporalio.client import Client

from harness.server import Server

SCHEDULES = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 90
PERIOD_SECONDS = 60
AT_ONCE = 64


def request(number: int) -> CreateScheduleRequest:
    made = CreateScheduleRequest(
        namespace="default", schedule_id=f"plan-{number}", request_id=f"make-{number}"
    )
    interval = made.schedule.spec.interval.add()
    interval.interval.seconds = PERIOD_SECONDS
    interval.phase.seconds = number % PERIOD_SECONDS
    # To the millisecond, so that the starts of a second do not all come at once.
    made.schedule.spec.jitter.seconds = 1
    workflow = made.schedule.action.start_workflow
    workflow.workflow_id = f"planned-{number}"
    workflow.workflow_type.name = "Planned"
    workflow.task_queue.name = "nobody"
    policy = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
    made.schedule.policies.overlap_policy = policy
    return made


async def for_all(work) -> list:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int):
        async with places:
            return await work(number)

    return await asyncio.gather(*(one(number) for number in range(SCHEDULES)))


async def measure(address: str) -> None:
    client = await Client.connect(address)
    service = client.workflow_service
    await for_all(lambda number: service.create_schedule(request(number)))
    print(f"{SCHEDULES} schedules; waiting for {SECONDS} s", flush=True)
    await asyncio.sleep(SECONDS)

    async def latenesses(number: int) -> list[float]:
        asked = DescribeScheduleRequest(namespace="default", schedule_id=f"plan-{number}")
        described = await service.describe_schedule(asked)
        return [
            (action.actual_time.ToNanoseconds() - action.schedule_time.ToNanoseconds()) / 1e6
            for action in described.info.recent_actions
        ]

    found = await for_all(latenesses)
    silent = sum(not times for times in found)
    late = sorted(time for times in found for time in times)
    rank = {f"p{share}": late[int(len(late) * share / 100)] for share in (50, 90, 99)}
    text = ", ".join(f"{name} {value:.1f} ms" for name, value in rank.items())
    print(f"{len(late)} actions; lateness {text}, worst {late[-1]:.1f} ms; {silent} never acted")


with tempfile.TemporaryDirectory() as directory:
    with Server(db_filename=Path(directory) / "server.db") as server:
        asyncio.run(measure(server.address))
