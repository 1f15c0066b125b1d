"""Calls about namespaces, lists and queues that are refused."""

from cases import NOT_FOUND, UNKNOWN_RUN, call, seconds

NAMESPACES = [
    call("no name", "DescribeNamespace", "Namespace not set on request.", namespace=""),
    call(
        "unknown name",
        "DescribeNamespace",
        "Namespace nowhere is not found.",
        NOT_FOUND,
        "NamespaceNotFoundFailure",
        namespace="nowhere",
    ),
    call(
        "unknown id",
        "DescribeNamespace",
        f"Namespace {UNKNOWN_RUN} is not found.",
        NOT_FOUND,
        "NamespaceNotFoundFailure",
        namespace="",
        id=UNKNOWN_RUN,
    ),
    call("no name", "RegisterNamespace", "Namespace not set on request.", namespace=""),
    *[
        call(
            name,
            "RegisterNamespace",
            "A valid retention period is not set on request.",
            namespace="retained",
            **fields,
        )
        for name, fields in {
            "no retention": {},
            "short retention": {"workflow_execution_retention_period": seconds(60)},
        }.items()
    ],
    call(
        "taken name",
        "RegisterNamespace",
        'Namespace "default" already exists',
        "ALREADY_EXISTS",
        "NamespaceAlreadyExistsFailure",
        namespace="default",
        workflow_execution_retention_period=seconds(3 * 86_400),
    ),
    call(
        "unknown name",
        "UpdateNamespace",
        "Namespace nowhere is not found.",
        NOT_FOUND,
        "NamespaceNotFoundFailure",
        namespace="nowhere",
    ),
]

VISIBILITY = [
    call(
        "unknown search attribute",
        "ListWorkflowExecutions",
        "invalid query: invalid search attribute: Nope",
        query="Nope = 1",
    ),
    call(
        "unknown search attribute",
        "CountWorkflowExecutions",
        "invalid query: invalid search attribute: Nope",
        query="Nope = 1",
    ),
    call(
        "unknown status",
        "ListWorkflowExecutions",
        "invalid query: invalid expression: invalid ExecutionStatus value 'Nope'",
        query="ExecutionStatus = 'Nope'",
    ),
    call(
        "unknown namespace",
        "ListWorkflowExecutions",
        "Namespace nowhere is not found.",
        NOT_FOUND,
        "NamespaceNotFoundFailure",
        namespace="nowhere",
    ),
    call("no queue", "DescribeTaskQueue", "taskQueue is not set"),
]
