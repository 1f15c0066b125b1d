"""Who may call what: the reference's table, written down by itself and not read from the server.

Every method not named here writes in a namespace.
"""

OPEN = {"GetSystemInfo"}

CLUSTER_READ = {"ListNamespaces", "GetSearchAttributes", "GetClusterInfo"}

CLUSTER_LISTS = {"ListClusters", "ListNexusEndpoints"}
"""These need an administrator of the system in the reference."""

CLUSTER_ADMIN = {
    "AddOrUpdateRemoteCluster",
    "RemoveRemoteCluster",
    "CreateNexusEndpoint",
    "UpdateNexusEndpoint",
    "DeleteNexusEndpoint",
    "GetNexusEndpoint",
}

NAMESPACE_ADMIN = {
    "RegisterNamespace",
    "UpdateNamespace",
    "DeprecateNamespace",
    "AddSearchAttributes",
    "RemoveSearchAttributes",
    "DeleteNamespace",
}

NAMESPACE_READ = {
    "DescribeNamespace",
    "GetWorkflowExecutionHistory",
    "GetWorkflowExecutionHistoryReverse",
    "CountActivityExecutions",
    "CountNexusOperationExecutions",
    "DescribeActivityExecution",
    "DescribeNexusOperationExecution",
    "PollActivityExecution",
    "PollNexusOperationExecution",
    "ListActivityExecutions",
    "ListNexusOperationExecutions",
    "ListOpenWorkflowExecutions",
    "ListClosedWorkflowExecutions",
    "ListWorkflowExecutions",
    "ListArchivedWorkflowExecutions",
    "ScanWorkflowExecutions",
    "CountWorkflowExecutions",
    "QueryWorkflow",
    "DescribeWorkflowExecution",
    "DescribeTaskQueue",
    "ListTaskQueuePartitions",
    "DescribeSchedule",
    "ListScheduleMatchingTimes",
    "ListSchedules",
    "CountSchedules",
    "GetWorkerBuildIdCompatibility",
    "GetWorkerVersioningRules",
    "GetWorkerTaskReachability",
    "PollWorkflowExecutionUpdate",
    "PollWorkflowExecutionTimeSkipping",
    "DescribeBatchOperation",
    "ListBatchOperations",
    "DescribeDeployment",
    "ListDeployments",
    "GetDeploymentReachability",
    "GetCurrentDeployment",
    "DescribeWorkerDeploymentVersion",
    "DescribeWorkerDeployment",
    "ValidateWorkerDeploymentVersionComputeConfig",
    "ListWorkerDeployments",
    "DescribeWorkflowRule",
    "ListWorkflowRules",
    "ListWorkers",
    "CountWorkers",
    "DescribeWorker",
    "FetchWorkerConfig",
    "ListSearchAttributes",
}

WORKER = {
    "PollWorkflowTaskQueue",
    "PollActivityTaskQueue",
    "PollNexusTaskQueue",
    "RecordActivityTaskHeartbeat",
    "RecordActivityTaskHeartbeatById",
    "RecordWorkerHeartbeat",
    "ResetStickyTaskQueue",
    "RespondActivityTaskCanceled",
    "RespondActivityTaskCanceledById",
    "RespondActivityTaskCompleted",
    "RespondActivityTaskCompletedById",
    "RespondActivityTaskFailed",
    "RespondActivityTaskFailedById",
    "RespondNexusTaskCompleted",
    "RespondNexusTaskFailed",
    "RespondQueryTaskCompleted",
    "RespondWorkflowTaskCompleted",
    "RespondWorkflowTaskFailed",
    "ShutdownWorker",
    "DescribeNamespace",
    "FetchWorkerConfig",
    "GetWorkflowExecutionHistory",
}
"""What the role `worker` may, which in the reference may nothing."""

ALWAYS_DENIED = {
    "anonymous",
    "bad token",
    "expired",
    "wrong audience",
    "wrong issuer",
    "alg=none",
    "HS256 with the public key",
}

CREDENTIALS = [
    *sorted(ALWAYS_DENIED),
    "reader",
    "writer",
    "worker",
    "namespace admin",
    "system admin",
    "other namespace's admin",
]


def is_allowed(method: str, who: str) -> bool:
    """Whether a call about the namespace `default` goes through."""
    if method in OPEN:
        # A credential that is wrong is refused even where none is needed.
        return who not in ALWAYS_DENIED - {"anonymous"}
    if who in ALWAYS_DENIED:
        return False
    if who == "system admin":
        return True
    if method in CLUSTER_READ | CLUSTER_LISTS:
        return True  # ours: what they answer is cut down to what the caller may see
    if method in CLUSTER_ADMIN or who == "other namespace's admin":
        return False
    if who == "namespace admin":
        return True
    if who == "worker":
        return method in WORKER
    if method in NAMESPACE_ADMIN:
        return False
    return who == "writer" or method in NAMESPACE_READ
