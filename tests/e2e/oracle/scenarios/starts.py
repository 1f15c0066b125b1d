"""Starts: every option, and every pair of policies on every state of the workflow before."""

import uuid

from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payload, payloads, seconds

SCENARIOS = Registry()

REUSE = (
    "UNSPECIFIED",
    "ALLOW_DUPLICATE",
    "ALLOW_DUPLICATE_FAILED_ONLY",
    "REJECT_DUPLICATE",
    "TERMINATE_IF_RUNNING",
)
CONFLICT = ("UNSPECIFIED", "FAIL", "USE_EXISTING", "TERMINATE_EXISTING")

OPTIONS = {
    "none": {},
    "input": {"input": payloads(b'"a"', b"2")},
    "header": {"header": {"fields": {"key": payload(b'"v"')}}},
    "memo": {"memo": {"fields": {"note": payload(b'"n"'), "other": payload(b"1")}}},
    "search-attributes": {
        "search_attributes": {
            "indexed_fields": {
                "CustomKeywordField": payload(b'"k"'),
                "CustomIntField": payload(b"7"),
                "CustomTextField": payload(b'"some text"'),
                "CustomBoolField": payload(b"true"),
                "CustomDoubleField": payload(b"1.5"),
                "CustomDatetimeField": payload(b'"2026-01-01T00:00:00Z"'),
            }
        }
    },
    "search-attribute-null": {
        "search_attributes": {"indexed_fields": {"CustomKeywordField": payload(b"null")}}
    },
    "memo-null": {"memo": {"fields": {"note": payload(b"null"), "other": payload(b"1")}}},
    "zero-timeouts": {
        "workflow_execution_timeout": seconds(0),
        "workflow_run_timeout": seconds(0),
        "workflow_task_timeout": seconds(0),
        "workflow_start_delay": seconds(0),
    },
    "run-timeout": {"workflow_run_timeout": seconds(30)},
    "execution-timeout": {"workflow_execution_timeout": seconds(60)},
    "both-timeouts": {
        "workflow_execution_timeout": seconds(60),
        "workflow_run_timeout": seconds(90),
    },
    "task-timeout": {"workflow_task_timeout": seconds(5)},
    "task-timeout-above-the-limit": {"workflow_task_timeout": seconds(500)},
    "task-timeout-above-run-timeout": {
        "workflow_task_timeout": seconds(50),
        "workflow_run_timeout": seconds(20),
    },
    "retry-policy": {"retry_policy": {"maximum_attempts": 3}},
    "retry-policy-in-full": {
        "retry_policy": {
            "initial_interval": seconds(2),
            "backoff_coefficient": 3.0,
            "maximum_interval": seconds(9),
            "maximum_attempts": 2,
            "non_retryable_error_types": ["Broken"],
        }
    },
    "retry-policy-empty": {"retry_policy": {}},
    "start-delay": {"workflow_start_delay": seconds(1)},
    "priority": {"priority": {"priority_key": 2}},
    "fairness": {"priority": {"fairness_key": "tenant", "fairness_weight": 2.5}},
    "user-metadata": {"user_metadata": {"summary": payload(b'"s"'), "details": payload(b'"d"')}},
    "eager-without-a-worker": {"request_eager_execution": True},
    "link": {
        "links": [
            {
                "workflow_event": {
                    "namespace": "default",
                    "workflow_id": "other",
                    "run_id": "3f1f4e9c-0c0e-4c39-9d50-fb8dfd3c2d6f",
                    "event_ref": {
                        "event_id": 1,
                        "event_type": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
                    },
                }
            }
        ]
    },
    "callback": {"completion_callbacks": [{"nexus": {"url": "http://127.0.0.1:9/none"}}]},
    "last-result-and-failure": {
        "last_completion_result": payloads(b"5"),
        "continued_failure": failure("earlier"),
    },
    "pinned-override": {
        "versioning_override": {
            "pinned": {
                "behavior": "PINNED_OVERRIDE_BEHAVIOR_PINNED",
                "version": {"deployment_name": "nowhere", "build_id": "1"},
            }
        }
    },
    "auto-upgrade-override": {"versioning_override": {"auto_upgrade": True}},
}


def started_with(world: World, fields: dict) -> None:
    run = world.start(**fields)
    if run:
        world.finish()


SCENARIOS.table("option", OPTIONS, started_with)


def event_link(workflow_id: str, **fields: object) -> dict:
    """A link to a workflow's start."""
    target = {"namespace": "default", "workflow_id": workflow_id, "run_id": "run"}
    return {"workflow_event": target | fields}


def callback_with(*links: dict) -> dict:
    """A callback to the server itself, with links."""
    return {"nexus": {"url": "temporal://system"}, "links": links}


SEVERAL = [event_link(f"w{number}") for number in range(11)]

LINKS = {
    "of-a-callback": {"links": SEVERAL[:2], "completion_callbacks": [callback_with(SEVERAL[1])]},
    "of-two-callbacks": {
        "links": SEVERAL[:3],
        "completion_callbacks": [callback_with(SEVERAL[1]), callback_with(SEVERAL[0])],
    },
    "twice": {"links": [SEVERAL[0], SEVERAL[0]]},
    "too-many": {"links": SEVERAL},
    "too-many-with-callbacks": {
        "links": SEVERAL[:6],
        "completion_callbacks": [callback_with(*SEVERAL[6:])],
    },
    "as-many-as-go": {
        "links": SEVERAL[:6],
        "completion_callbacks": [callback_with(*SEVERAL[:10])],
    },
    "large": {"links": [event_link("w" * 5000)]},
    "large-of-a-callback": {"completion_callbacks": [callback_with(event_link("w" * 5000))]},
    "nothing": {"links": [{}]},
    "no-namespace": {"links": [event_link("w", namespace="")]},
    "no-workflow": {"links": [event_link("")]},
    "no-run": {"links": [event_link("w", run_id="")]},
    "no-event-type": {"links": [event_link("w", event_ref={"event_id": 3})]},
    "batch": {"links": [{"batch_job": {"job_id": "job"}}]},
    "no-batch": {"links": [{"batch_job": {}}]},
    "activity": {"links": [{"activity": {"namespace": "default", "activity_id": "a"}}]},
    "operation": {"links": [{"nexus_operation": {"namespace": "default", "run_id": "r"}}]},
    "workflow": {"links": [{"workflow": {"namespace": "default", "workflow_id": "w"}}]},
}

SCENARIOS.table("links", LINKS, lambda world, fields: world.start(**fields))


@SCENARIOS
def links_of_other_requests(world: World) -> None:
    run = world.start()
    for links in (SEVERAL, [event_link("w" * 5000)], [event_link("")], [{}]):
        world.on("SignalWorkflowExecution", run, signal_name="signal", links=links)
        world.on("RequestCancelWorkflowExecution", run, links=links)
        world.on("TerminateWorkflowExecution", run, links=links)
        world.call(
            "SignalWithStartWorkflowExecution",
            workflow_id=world.name(),
            workflow_type={"name": "workflow"},
            task_queue={"name": world.queue},
            signal_name="signal",
            links=links,
        )


def running(world: World) -> None:
    world.start()


def completed(world: World) -> None:
    world.start()
    world.finish()


def failed(world: World) -> None:
    world.start()
    world.turn(command("FAIL_WORKFLOW_EXECUTION", failure=failure()))


def canceled(world: World) -> None:
    world.start()
    world.turn(command("CANCEL_WORKFLOW_EXECUTION"))


def terminated(world: World) -> None:
    world.on("TerminateWorkflowExecution", world.start(), reason="over")


STATES = {"running": running, "completed": completed, "failed": failed}
FEW = {"canceled": canceled, "terminated": terminated}


def policies(world: World, row: tuple) -> None:
    state, reuse, conflict = row
    state(world)
    world.start(
        workflow_id_reuse_policy=f"WORKFLOW_ID_REUSE_POLICY_{reuse}",
        workflow_id_conflict_policy=f"WORKFLOW_ID_CONFLICT_POLICY_{conflict}",
    )


SCENARIOS.table(
    "policies",
    {
        f"{name}-{reuse.lower()}-{conflict.lower()}": (state, reuse, conflict)
        for name, state in STATES.items()
        for reuse in REUSE
        for conflict in CONFLICT
    }
    | {
        f"{name}-{reuse.lower()}": (state, reuse, "UNSPECIFIED")
        for name, state in FEW.items()
        for reuse in REUSE
    },
    policies,
)


def signal_with_start(world: World, row: tuple) -> None:
    state, fields = row
    if state:
        state(world)
    answer = world.call(
        "SignalWithStartWorkflowExecution",
        **{
            "workflow_id": world.name(),
            "workflow_type": {"name": "workflow"},
            "task_queue": {"name": world.queue},
            "request_id": str(uuid.uuid4()),
            "signal_name": "go",
            "signal_input": payloads(b"1"),
        }
        | fields,
    )
    if answer:
        world.follow(world.name(), answer.run_id)


SCENARIOS.table(
    "signal-with-start",
    {
        "nothing-there": (None, {}),
        "input-and-header": (
            None,
            {"input": payloads(b"2"), "header": {"fields": {"k": payload(b"3")}}},
        ),
        "delay": (None, {"workflow_start_delay": seconds(1)}),
        "no-signal-name": (None, {"signal_name": ""}),
        "running": (running, {}),
        "completed": (completed, {}),
        "failed": (failed, {}),
        "completed-reject": (
            completed,
            {"workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"},
        ),
        "completed-failed-only": (
            completed,
            {"workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY"},
        ),
        "running-terminate": (
            running,
            {"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING"},
        ),
        "running-terminate-if-running": (
            running,
            {"workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING"},
        ),
        "running-conflict-fail": (
            running,
            {"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_FAIL"},
        ),
        "running-reject": (
            running,
            {"workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"},
        ),
    },
    signal_with_start,
)


@SCENARIOS
def the_same_request_twice(world: World) -> None:
    request_id = str(uuid.uuid4())
    world.start(request_id=request_id)
    world.start(request_id=request_id)


@SCENARIOS
def the_same_request_after_the_end(world: World) -> None:
    request_id = str(uuid.uuid4())
    world.start(request_id=request_id)
    world.finish()
    world.start(request_id=request_id)


ATTACH_ALL = {
    "attach_request_id": True,
    "attach_completion_callbacks": True,
    "attach_links": True,
}


@SCENARIOS
def existing_run_gets_request_links_and_callbacks(world: World) -> None:
    world.start()
    world.start(
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
        on_conflict_options=ATTACH_ALL,
        completion_callbacks=[{"nexus": {"url": "http://127.0.0.1:9/none"}}],
    )
    world.start(
        workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
        on_conflict_options=ATTACH_ALL,
        links=SEVERAL[:2],
        completion_callbacks=[callback_with(SEVERAL[1])],
    )


@SCENARIOS
def conflict_options_without_use_existing(world: World) -> None:
    world.start(on_conflict_options={"attach_request_id": True})


@SCENARIOS
def eager_start_needs_no_poll(world: World) -> None:
    world.start(request_eager_execution=True)
    world.turn(command("COMPLETE_WORKFLOW_EXECUTION"))


@SCENARIOS
def cron_runs_again(world: World) -> None:
    world.start(cron_schedule="@every 1s")
    world.finish()
    world.poll()


@SCENARIOS
def a_failed_run_is_retried(world: World) -> None:
    world.start(retry_policy={"maximum_attempts": 2, "initial_interval": seconds(1)})
    world.turn(command("FAIL_WORKFLOW_EXECUTION", failure=failure()))
    world.turn(command("FAIL_WORKFLOW_EXECUTION", failure=failure()))


@SCENARIOS
def a_non_retryable_failure_ends_the_chain(world: World) -> None:
    world.start(retry_policy={"maximum_attempts": 2})
    world.turn(command("FAIL_WORKFLOW_EXECUTION", failure=failure(non_retryable=True)))


@SCENARIOS
def the_run_timeout_closes(world: World) -> None:
    run = world.start(workflow_run_timeout=seconds(1))
    world.wait_for_event(run, "WORKFLOW_EXECUTION_TIMED_OUT")


@SCENARIOS
def the_run_timeout_retries(world: World) -> None:
    run = world.start(
        workflow_run_timeout=seconds(1),
        retry_policy={"maximum_attempts": 2, "initial_interval": seconds(1)},
    )
    world.wait_for_event(run, "WORKFLOW_EXECUTION_TIMED_OUT")


@SCENARIOS
def the_execution_timeout_closes(world: World) -> None:
    run = world.start(workflow_execution_timeout=seconds(1))
    world.wait_for_event(run, "WORKFLOW_EXECUTION_TIMED_OUT")
