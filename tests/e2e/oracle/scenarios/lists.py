"""Lists and counts: every filter on the same small set of runs."""

from oracle.scenarios.registry import Registry
from oracle.world import World, command, failure, payload, seconds

SCENARIOS = Registry()

RUNS = 4

FILTERS = {
    "keyword": "CustomKeywordField = '{own}'",
    "keyword-and-status": "CustomKeywordField = '{own}' AND ExecutionStatus = 'Running'",
    "status-by-number": "CustomKeywordField = '{own}' AND ExecutionStatus = 2",
    "status-in": "CustomKeywordField = '{own}' AND ExecutionStatus IN ('Completed', 'Failed')",
    "status-not": "CustomKeywordField = '{own}' AND ExecutionStatus != 'Running'",
    "type": "CustomKeywordField = '{own}' AND WorkflowType = 'second'",
    "id": "WorkflowId = 'first-{own}'",
    "id-starts-with": "WorkflowId STARTS_WITH 'first-{own}'",
    "id-not-starts-with": "CustomKeywordField = '{own}' AND WorkflowId NOT STARTS_WITH 'first'",
    "int-range": "CustomKeywordField = '{own}' AND CustomIntField BETWEEN 1 AND 2",
    "int-not-between": "CustomKeywordField = '{own}' AND CustomIntField NOT BETWEEN 1 AND 2",
    "int-compare": "CustomKeywordField = '{own}' AND CustomIntField >= 2",
    "int-in": "CustomKeywordField = '{own}' AND CustomIntField IN (1, 3)",
    "int-not-in": "CustomKeywordField = '{own}' AND CustomIntField NOT IN (1, 3)",
    "or": "CustomKeywordField = '{own}' AND (CustomIntField = 1 OR CustomIntField = 3)",
    "null": "CustomKeywordField = '{own}' AND CustomBoolField IS NULL",
    "not-null": "CustomKeywordField = '{own}' AND CustomBoolField IS NOT NULL",
    "bool": "CustomKeywordField = '{own}' AND CustomBoolField = true",
    "text": "CustomKeywordField = '{own}' AND CustomTextField = 'quick'",
    "close-time": "CustomKeywordField = '{own}' AND CloseTime IS NULL",
    "start-time": "CustomKeywordField = '{own}' AND StartTime > '2020-01-01T00:00:00Z'",
    "start-time-before": "CustomKeywordField = '{own}' AND StartTime < '2020-01-01T00:00:00Z'",
    "history-length": "CustomKeywordField = '{own}' AND HistoryLength > 3",
    "queue": "CustomKeywordField = '{own}' AND TaskQueue = 'queue-{own}'",
    "quotes": 'CustomKeywordField = "{own}"',
    "backquotes": "`CustomKeywordField` = '{own}'",
    "root": "RootWorkflowId = 'first-{own}'",
    "parent-null": "CustomKeywordField = '{own}' AND ParentWorkflowId IS NULL",
}

REFUSED = {
    "garbage": "!!",
    "unknown-name": "Nope = 1",
    "wrong-type": "CustomIntField = 'x'",
    "bad-status": "ExecutionStatus = 'Nope'",
    "bad-time": "StartTime > 'yesterday'",
    "unclosed": "(WorkflowId = 'x'",
    "unquoted": "WorkflowId = x",
    "order-by-unknown": "ORDER BY Nope",
    "group-by-in-list": "GROUP BY ExecutionStatus",
    "group-by-other": "GROUP BY WorkflowType",
    "like": "WorkflowId LIKE 'x%'",
    "text-compare": "CustomTextField > 'x'",
    "keyword-compare": "CustomKeywordField > 'x'",
    "bool-string": "CustomBoolField = 'true'",
    "between-strings": "CustomIntField BETWEEN 'a' AND 'b'",
    "starts-with-int": "CustomIntField STARTS_WITH '1'",
    "left-is-value": "1 = CustomIntField",
    "column-to-column": "CustomIntField = CustomDoubleField",
    "select": "SELECT * FROM x",
    "limit": "WorkflowId = 'x' LIMIT 1",
}


def populate(world: World) -> None:
    """Four runs: completed, failed, and two that are open."""
    for number, (name, ending) in enumerate(
        (
            ("first", command("COMPLETE_WORKFLOW_EXECUTION")),
            ("second", command("FAIL_WORKFLOW_EXECUTION", failure=failure())),
            ("third", None),
            ("fourth", None),
        ),
        start=1,
    ):
        indexed = {
            "CustomKeywordField": payload(f'"{world.tag}"'.encode()),
            "CustomIntField": payload(str(number).encode()),
            "CustomTextField": payload(b'"the quick fox"' if number % 2 else b'"lazy dog"'),
        }
        if number > 2:
            indexed["CustomBoolField"] = payload(b"true" if number == 3 else b"false")
        world.start(
            workflow_id=f"{name}-{world.tag}",
            workflow_type={"name": name},
            search_attributes={"indexed_fields": indexed},
        )
        world.turn(ending) if ending else world.turn()
    query = f"CustomKeywordField = '{world.tag}'"
    completed_a_task = f"{query} AND BuildIds = 'unversioned'"
    closed = f"{query} AND ExecutionStatus != 'Running'"

    def indexed_all() -> bool:
        count = world.raw.call
        return (
            count("CountWorkflowExecutions", query=completed_a_task).count == RUNS
            and count("CountWorkflowExecutions", query=closed).count == 2
        )

    world.wait(indexed_all, "the index")
    world.record.clear()


def listed(world: World, query: str) -> None:
    populate(world)
    query = query.format(own=world.tag)
    found = world.call("ListWorkflowExecutions", silent=True, query=query)
    if found:
        from oracle.normal import plain

        rows = [plain(row, world._rename) for row in found.executions]
        world.record.append(("rows", sorted(rows, key=lambda row: row["execution"]["workflow_id"])))
    world.call("CountWorkflowExecutions", query=query)
    world._started.clear()


SCENARIOS.table("filter", FILTERS, listed)


def order(world: World, query: str) -> None:
    """The default order, as the ids in the answer."""
    populate(world)
    found = world.call("ListWorkflowExecutions", silent=True, query=query.format(own=world.tag))
    ids = [row.execution.workflow_id.replace(world.tag, "") for row in found.executions]
    world.record.append(("order", ids))
    world._started.clear()


SCENARIOS.table("order", {"default": "CustomKeywordField = '{own}'"}, order)


def refused(world: World, query: str) -> None:
    world.call("ListWorkflowExecutions", silent=True, query=query)
    world.call("CountWorkflowExecutions", silent=True, query=query)


SCENARIOS.table("refused", REFUSED, refused)


@SCENARIOS
def count_by_status(world: World) -> None:
    populate(world)
    query = f"CustomKeywordField = '{world.tag}' GROUP BY ExecutionStatus"
    counted = world.call("CountWorkflowExecutions", silent=True, query=query)
    if counted:
        groups = sorted((group.group_values[0].data, group.count) for group in counted.groups)
        world.record.append(("groups", [counted.count, [list(map(str, one)) for one in groups]]))
    world._started.clear()


@SCENARIOS
def pages(world: World) -> None:
    populate(world)
    query, token, sizes = f"CustomKeywordField = '{world.tag}'", b"", []
    for _ in range(RUNS + 1):
        page = world.call(
            "ListWorkflowExecutions", silent=True, query=query, page_size=3, next_page_token=token
        )
        sizes.append(len(page.executions))
        token = page.next_page_token
        if not token:
            break
    world.record.append(("sizes", [size for size in sizes if size]))
    world.call("ListWorkflowExecutions", query=query, next_page_token=b"garbage")
    world._started.clear()


def other_list(world: World, row: tuple) -> None:
    method, fields = row
    populate(world)
    fields = {
        key: value.format(own=world.tag) if isinstance(value, str) else value
        for key, value in fields.items()
    }
    if "executions" in fields:
        fields = {"execution_filter": {"workflow_id": f"third-{world.tag}"}}
    found = world.call(method, silent=True, **fields)
    if found is not None:
        ids = sorted(row.execution.workflow_id.replace(world.tag, "") for row in found.executions)
        world.record.append(("ids", ids))
    world._started.clear()


SCENARIOS.table(
    "other",
    {
        "scan": ("ScanWorkflowExecutions", {"query": "CustomKeywordField = '{own}'"}),
        "open-by-id": ("ListOpenWorkflowExecutions", {"executions": True}),
        "closed-by-id": ("ListClosedWorkflowExecutions", {"executions": True}),
        "archived": ("ListArchivedWorkflowExecutions", {"query": "WorkflowId = 'x'"}),
    },
    other_list,
)


@SCENARIOS
def negative_page_size(world: World) -> None:
    world.call("ListWorkflowExecutions", silent=True, page_size=-1)


@SCENARIOS
def a_list_after_an_upsert(world: World) -> None:
    world.start()
    indexed = {"CustomKeywordField": payload(f'"{world.tag}"'.encode())}
    world.turn(
        command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes={"indexed_fields": indexed}),
        command("START_TIMER", timer_id="t", start_to_fire_timeout=seconds(60)),
    )
    query = f"CustomKeywordField = '{world.tag}'"
    world.wait(
        lambda: world.raw.call("CountWorkflowExecutions", query=query).count == 1, "the index"
    )


def typed(world: World, kind: bytes | None) -> None:
    """What becomes of the types that clients write into search attributes."""
    metadata = {"encoding": b"json/plain"} | ({} if kind is None else {"type": kind})
    values = {
        "CustomKeywordField": f'["{world.tag}"]'.encode(),
        "CustomTextField": b'"a b"',
        "CustomIntField": b"3",
        "CustomDoubleField": b"3",
        "CustomBoolField": b"true",
    }
    indexed = {name: {"metadata": metadata, "data": data} for name, data in values.items()}
    attributes = {"indexed_fields": indexed}
    world.start(search_attributes=attributes)
    world.start(workflow_id=world.name("other"), task_queue={"name": world.name("other")})
    query = f"CustomKeywordField = '{world.tag}'"
    task = world.poll(world.name("other"))
    world.complete(task, command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes=attributes))
    world.wait(
        lambda: world.raw.call("CountWorkflowExecutions", query=query).count == 2, "the index"
    )
    for condition in ("CustomTextField = 'b'", "CustomIntField = 3", "CustomBoolField = true"):
        found = f"{query} AND {condition}"
        counted = world.raw.call("CountWorkflowExecutions", query=found).count
        world.record.append((condition, counted))
    by_id = f"{query} AND WorkflowId = '{world.name()}'"
    world.call("ListWorkflowExecutions", query=by_id)


TYPES = {
    "absent": None,
    "empty": b"",
    "keyword": b"Keyword",
    "text": b"Text",
    "int": b"Int",
    "list": b"KeywordList",
    "screaming": b"INDEXED_VALUE_TYPE_INT",
    "unknown": b"nonsense",
}

SCENARIOS.table("type-of-attributes", TYPES, typed)
