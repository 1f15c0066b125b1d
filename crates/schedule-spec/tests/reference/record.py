"""Records what the reference answers to ListScheduleMatchingTimes and what it shows as future times.

    python record.py HOST:PORT > cases.json

Needs `temporalio` and a running development server of the reference. The specifications are drawn
from a fixed seed, so that a new recording differs from the old one only where the reference does.
"""

import asyncio
import json
import random
import sys
from datetime import datetime, timezone

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.schedule.v1 import CalendarSpec, IntervalSpec, Schedule
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeNamespaceRequest,
    DescribeScheduleRequest,
    ListScheduleMatchingTimesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

ZONES = [
    "",
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Africa/Casablanca",
]

# Around changes of summer time in several zones, a leap day, the end of a year, and elsewhere.
STARTS = [
    datetime(2024, 3, 10, 5, 0, 0),
    datetime(2024, 3, 31, 0, 30, 0),
    datetime(2024, 4, 6, 14, 0, 0),
    datetime(2024, 10, 27, 0, 0, 1),
    datetime(2024, 11, 3, 4, 59, 59),
    datetime(2024, 2, 28, 12, 0, 0),
    datetime(2025, 12, 31, 23, 0, 0),
    datetime(2026, 6, 15, 8, 30, 0),
]

WEEKDAYS = ["sun", "MON", "tuesday", "We", "thu", "fri", "sat"]
MONTHS = ["jan", "Feb", "march", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "DEC"]


def field(dice, low, high, names=None):
    def value():
        number = dice.randint(low, high)
        if names and dice.random() < 0.3:
            return names[(number - low) % len(names)]
        return str(number)

    def part():
        kind = dice.random()
        if kind < 0.4:
            return value()
        if kind < 0.6:
            a, b = sorted((dice.randint(low, high), dice.randint(low, high)))
            return f"{a}-{b}"
        if kind < 0.8:
            a, b = sorted((dice.randint(low, high), dice.randint(low, high)))
            return f"{a}-{b}/{dice.randint(1, 7)}"
        if kind < 0.9:
            return f"*/{dice.randint(1, 12)}"
        return f"{dice.randint(low, high)}/{dice.randint(1, 9)}"

    return ",".join(part() for _ in range(dice.choice([1, 1, 1, 2, 3])))


def any_or(dice, share, text):
    return "*" if dice.random() < share else text


def calendar(dice):
    return {
        "second": dice.choice(["", "0", "30", field(dice, 0, 59)]),
        "minute": dice.choice(["", "*", field(dice, 0, 59)]),
        "hour": dice.choice(["*", "1", "2", "1-3", field(dice, 0, 23)]),
        "day_of_month": any_or(dice, 0.7, field(dice, 1, 31)),
        "month": any_or(dice, 0.8, field(dice, 1, 12, MONTHS)),
        "year": dice.choice(["", "", "*", "2024-2026", "2025/2"]),
        "day_of_week": any_or(dice, 0.6, field(dice, 0, 7, WEEKDAYS)),
    }


def cron(dice):
    if dice.random() < 0.1:
        return dice.choice(["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@midnight"])
    if dice.random() < 0.1:
        return dice.choice(["@every 90s", "@every 1h30m/5m", "@every 1.5d", "@every 36h/1h1m1s"])
    fields = [
        any_or(dice, 0.2, field(dice, 0, 59)),
        any_or(dice, 0.4, field(dice, 0, 23)),
        any_or(dice, 0.7, field(dice, 1, 31)),
        any_or(dice, 0.8, field(dice, 1, 12, MONTHS)),
        any_or(dice, 0.6, field(dice, 0, 7, WEEKDAYS)),
    ]
    if dice.random() < 0.2:
        fields.append("2024-2026")
        if dice.random() < 0.5:
            fields.insert(0, field(dice, 0, 59))
    text = " ".join(fields)
    return text + " # why" if dice.random() < 0.1 else text


def case(dice):
    kind = dice.random()
    spec = {"zone": dice.choice(ZONES)}
    if kind < 0.5:
        spec["calendars"] = [calendar(dice) for _ in range(dice.choice([1, 1, 2]))]
    elif kind < 0.8:
        spec["crons"] = [cron(dice) for _ in range(dice.choice([1, 1, 2]))]
    if kind >= 0.7 or dice.random() < 0.1:
        every = dice.choice([60, 90, 3600, 5400, 86_400, 604_800, dice.randint(1, 500_000)])
        spec["intervals"] = [[every, dice.choice([0, 0, dice.randint(0, every - 1)])]]
    if dice.random() < 0.3:
        spec["excluded"] = [calendar(dice)]
    start = dice.choice(STARTS).replace(tzinfo=timezone.utc)
    spec["from"] = int(start.timestamp())
    spec["to"] = spec["from"] + dice.choice([86_400, 3 * 86_400, 40 * 86_400, 800 * 86_400])
    if dice.random() < 0.2:
        spec["start"] = spec["from"] + dice.randint(0, 86_400)
    if dice.random() < 0.2:
        spec["end"] = spec["from"] + dice.randint(0, 10 * 86_400)
    if dice.random() < 0.3:
        spec["jitter"] = dice.choice([1, 10, 600, 86_400, 5_000_000])
    return spec


def build(spec):
    schedule = Schedule()
    out = schedule.spec
    out.calendar.extend(CalendarSpec(**given) for given in spec.get("calendars", []))
    out.exclude_calendar.extend(CalendarSpec(**given) for given in spec.get("excluded", []))
    out.cron_string.extend(spec.get("crons", []))
    for every, phase in spec.get("intervals", []):
        interval = IntervalSpec()
        interval.interval.seconds = every
        interval.phase.seconds = phase
        out.interval.append(interval)
    out.timezone_name = spec["zone"]
    if "start" in spec:
        out.start_time.seconds = spec["start"]
    if "end" in spec:
        out.end_time.seconds = spec["end"]
    if "jitter" in spec:
        out.jitter.seconds = spec["jitter"]
    schedule.state.paused = True
    return schedule


def millis(times):
    return [time.seconds * 1000 + time.nanos // 1_000_000 for time in times]


async def record(service, namespace_id, number, spec):
    identity = f"case-{number}"
    request = CreateScheduleRequest(
        namespace="default",
        schedule_id=identity,
        schedule=build(spec),
        request_id=identity,
    )
    try:
        await service.create_schedule(request)
    except RPCError as error:
        return {**spec, "error": error.message}
    asked = ListScheduleMatchingTimesRequest(
        namespace="default",
        schedule_id=identity,
        start_time=Timestamp(seconds=spec["from"]),
        end_time=Timestamp(seconds=spec["to"]),
    )
    matching = (await service.list_schedule_matching_times(asked)).start_time
    described = await service.describe_schedule(
        DescribeScheduleRequest(namespace="default", schedule_id=identity)
    )
    await service.delete_schedule(
        DeleteScheduleRequest(namespace="default", schedule_id=identity)
    )
    created = described.info.create_time
    result = {**spec, "seed": f"{namespace_id}-{identity}"}
    times = millis(matching)
    result["count"] = len(times)
    # The first and the last say it all: a time that is missing or too many moves the others.
    result["times"] = times if len(times) <= 12 else times[:8] + times[-4:]
    result["created"] = created.seconds * 1000 + created.nanos // 1_000_000
    result["future"] = millis(described.info.future_action_times)
    return result


async def main():
    client = await Client.connect(sys.argv[1])
    service = client.workflow_service
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    dice = random.Random(20_240_310)
    cases = []
    for number in range(400):
        cases.append(await record(service, described.namespace_info.id, number, case(dice)))
    lines = ",\n".join(json.dumps(case, sort_keys=True) for case in cases)
    print(f"[\n{lines}\n]")


asyncio.run(main())
