"""Schedules."""

import uuid

from oracle.scenarios.registry import Registry
from oracle.world import World, payload, payloads, seconds

SCENARIOS = Registry()


def schedule(world: World, **fields: object) -> dict:
    return {
        "spec": {"interval": [{"interval": seconds(3600)}]},
        "action": {
            "start_workflow": {
                "workflow_id": world.name("scheduled"),
                "workflow_type": {"name": "workflow"},
                "task_queue": {"name": world.queue},
            }
        },
        "state": {"paused": True},
    } | fields


def create(world: World, fields: dict | None = None, **request: object):
    return world.call(
        "CreateSchedule",
        **{
            "schedule_id": world.name("schedule"),
            "schedule": schedule(world, **(fields or {})),
            "request_id": str(uuid.uuid4()),
        }
        | request,
    )


def describe(world: World) -> None:
    described = world.call("DescribeSchedule", silent=True, schedule_id=world.name("schedule"))
    if described:
        from oracle.normal import plain

        shown = plain(described, world._rename)
        shown.get("info", {}).pop("future_action_times", None)
        world.record.append(("described", shown))


def specified(world: World, spec: dict) -> None:
    create(world, {"spec": spec})
    describe(world)
    world.call("DeleteSchedule", schedule_id=world.name("schedule"))


SCENARIOS.table(
    "spec",
    {
        "interval": {"interval": [{"interval": seconds(3600), "phase": seconds(60)}]},
        "interval-too-short": {"interval": [{"interval": seconds(0.5)}]},
        "interval-phase-too-long": {"interval": [{"interval": seconds(60), "phase": seconds(61)}]},
        "cron": {"cron_string": ["0 12 * * MON-FRI"]},
        "cron-with-comment": {"cron_string": ["0 12 * * * # noon"]},
        "cron-every": {"cron_string": ["@every 2h/30m"]},
        "cron-daily": {"cron_string": ["@daily"]},
        "cron-with-zone": {"cron_string": ["CRON_TZ=Europe/Berlin 0 12 * * *"]},
        "cron-bad": {"cron_string": ["at noon"]},
        "cron-seven-fields": {"cron_string": ["0 30 12 * * * 2030"]},
        "calendar": {"calendar": [{"hour": "2,5-9/2", "day_of_week": "Monday"}]},
        "calendar-bad": {"calendar": [{"hour": "77"}]},
        "structured": {
            "structured_calendar": [{"hour": [{"start": 3, "end": 9, "step": 2}], "comment": "c"}]
        },
        "structured-bad": {"structured_calendar": [{"hour": [{"start": 30}]}]},
        "zone": {"cron_string": ["@daily"], "timezone_name": "Europe/Berlin"},
        "zone-unknown": {"cron_string": ["@daily"], "timezone_name": "Nowhere/Town"},
        "jitter": {"cron_string": ["@daily"], "jitter": seconds(5)},
        "exclude": {
            "cron_string": ["@daily"],
            "exclude_structured_calendar": [{"day_of_week": [{"start": 0}]}],
        },
        "nothing": {},
    },
    specified,
)


def with_policies(world: World, fields: dict) -> None:
    create(world, fields)
    describe(world)
    world.call("DeleteSchedule", schedule_id=world.name("schedule"))


SCENARIOS.table(
    "fields",
    {
        "plain": {},
        "overlap-buffer": {"policies": {"overlap_policy": "SCHEDULE_OVERLAP_POLICY_BUFFER_ONE"}},
        "catch-up": {"policies": {"catchup_window": seconds(60)}},
        "catch-up-too-short": {"policies": {"catchup_window": seconds(1)}},
        "pause-on-failure": {"policies": {"pause_on_failure": True}},
        "notes": {"state": {"notes": "n", "paused": True}},
        "limited": {"state": {"limited_actions": True, "remaining_actions": 3, "paused": True}},
        "no-action": {"action": {}},
        "action-without-type": {
            "action": {"start_workflow": {"workflow_id": "x", "task_queue": {"name": "q"}}}
        },
        "action-with-cron": {
            "action": {
                "start_workflow": {
                    "workflow_id": "x",
                    "workflow_type": {"name": "w"},
                    "task_queue": {"name": "q"},
                    "cron_schedule": "@daily",
                }
            }
        },
        "action-with-reuse-policy": {
            "action": {
                "start_workflow": {
                    "workflow_id": "x",
                    "workflow_type": {"name": "w"},
                    "task_queue": {"name": "q"},
                    "workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
                }
            }
        },
    },
    with_policies,
)


@SCENARIOS
def created_twice(world: World) -> None:
    create(world)
    create(world)


@SCENARIOS
def created_twice_by_one_request(world: World) -> None:
    for _ in range(2):
        create(world, request_id="one")


@SCENARIOS
def without_an_id(world: World) -> None:
    create(world, schedule_id="")


@SCENARIOS
def with_memo_and_search_attributes(world: World) -> None:
    create(
        world,
        memo={"fields": {"m": payload(b"1")}},
        search_attributes={"indexed_fields": {"CustomKeywordField": payload(b'"k"')}},
    )
    describe(world)


def unknown(world: World, row: tuple) -> None:
    method, fields = row
    world.call(method, schedule_id=world.name("nobody"), **fields)


SCENARIOS.table(
    "unknown",
    {
        "describe": ("DescribeSchedule", {}),
        "delete": ("DeleteSchedule", {}),
        "patch": ("PatchSchedule", {"patch": {"pause": "p"}}),
        "times": ("ListScheduleMatchingTimes", {}),
    },
    unknown,
)


@SCENARIOS
def paused_and_unpaused(world: World) -> None:
    create(world, {"state": {}})
    for patch in ({"pause": "stop"}, {"unpause": "go"}):
        world.call("PatchSchedule", schedule_id=world.name("schedule"), patch=patch)
        _settle(world, "pause" in patch)
        describe(world)


def _settle(world: World, paused: bool) -> None:
    def there() -> bool:
        answer = world.raw.call("DescribeSchedule", schedule_id=world.name("schedule"))
        return answer.schedule.state.paused == paused

    world.wait(there, "the pause")


@SCENARIOS
def triggered(world: World) -> None:
    create(world, {"state": {}})
    world.call(
        "PatchSchedule",
        schedule_id=world.name("schedule"),
        patch={"trigger_immediately": {"overlap_policy": "SCHEDULE_OVERLAP_POLICY_ALLOW_ALL"}},
    )
    task = world.poll()
    if task:
        world.follow(task.workflow_execution.workflow_id, task.workflow_execution.run_id)
        world.complete(task)


@SCENARIOS
def updated(world: World) -> None:
    create(world)
    world.call(
        "UpdateSchedule",
        schedule_id=world.name("schedule"),
        schedule=schedule(world, state={"notes": "new", "paused": True}),
        request_id=str(uuid.uuid4()),
    )

    def there() -> bool:
        answer = world.raw.call("DescribeSchedule", schedule_id=world.name("schedule"))
        return answer.schedule.state.notes == "new"

    world.wait(there, "the update")
    describe(world)


@SCENARIOS
def deleted_and_described(world: World) -> None:
    create(world)
    world.call("DeleteSchedule", schedule_id=world.name("schedule"))
    world.call("DescribeSchedule", schedule_id=world.name("schedule"))


@SCENARIOS
def matching_times(world: World) -> None:
    create(world, {"spec": {"cron_string": ["0 */6 * * *"]}})
    times = world.call(
        "ListScheduleMatchingTimes",
        silent=True,
        schedule_id=world.name("schedule"),
        start_time={"seconds": 1_800_000_000},
        end_time={"seconds": 1_800_086_400},
    )
    if times:
        world.record.append(("times", [str(time.seconds) for time in times.start_time]))


@SCENARIOS
def one_run_by_an_interval(world: World) -> None:
    action = schedule(world)["action"]
    action["start_workflow"] |= {"input": payloads(b"1"), "memo": {"fields": {"m": payload(b"2")}}}
    create(
        world,
        {
            "spec": {"interval": [{"interval": seconds(1)}]},
            "state": {"limited_actions": True, "remaining_actions": 1},
            "action": action,
        },
    )
    task = world.poll()
    if task:
        world.follow(task.workflow_execution.workflow_id, task.workflow_execution.run_id)
        world.complete(task)
