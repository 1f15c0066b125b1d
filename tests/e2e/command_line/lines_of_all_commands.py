# ruff: noqa: E501 - a line of the command line is one line
"""A line of each command that the reference's command line has, and what a server answers to it."""

import base64
import json


def payload(value: object) -> dict:
    return {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(json.dumps(value).encode()).decode(),
    }


TIME = "2026-01-02T03:04:05.5Z"
RUN = "0198f8a0-0000-4000-8000-000000000001"

EXECUTION = {"workflowId": "w", "runId": RUN}
STARTED = {
    "eventId": "1",
    "eventTime": TIME,
    "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
    "workflowExecutionStartedEventAttributes": {
        "workflowType": {"name": "kind"},
        "taskQueue": {"name": "q"},
        "input": {"payloads": [payload({"a": 1.5})]},
        "originalExecutionRunId": RUN,
        "firstExecutionRunId": RUN,
    },
}
TASK = {
    "eventId": "4",
    "eventTime": TIME,
    "eventType": "EVENT_TYPE_WORKFLOW_TASK_COMPLETED",
    "workflowTaskCompletedEventAttributes": {"scheduledEventId": "2", "startedEventId": "3"},
}
ENDED = {
    "eventId": "5",
    "eventTime": TIME,
    "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    "workflowExecutionCompletedEventAttributes": {"result": {"payloads": [payload("out")]}},
}
INFO = {
    "execution": EXECUTION,
    "type": {"name": "kind"},
    "startTime": TIME,
    "closeTime": TIME,
    "status": "WORKFLOW_EXECUTION_STATUS_COMPLETED",
    "historyLength": "5",
    "memo": {"fields": {"note": payload([1, None])}},
    "taskQueue": "q",
}
OUTCOME = {"success": {"payloads": [payload("updated")]}}
UPDATE = {"workflowExecution": EXECUTION, "updateId": "u"}
ROUTING = {
    "currentDeploymentVersion": {"deploymentName": "d", "buildId": "1"},
    "rampingDeploymentVersion": {"deploymentName": "d", "buildId": "2"},
    "rampingVersionPercentage": 12.5,
    "currentVersionChangedTime": TIME,
}
COMPUTE = {
    "scalingGroups": {
        "default": {
            "provider": {"type": "gcp-cloud-run", "details": payload({"project": "secret"})},
            "scaler": {
                "type": "rate-based",
                "details": payload(
                    {
                        "min_count": 1,
                        "max_count": 3,
                        "initial_count": 1,
                        "no_sync_quiet_ms": 300_000,
                        "utilization_target": 0.75,
                    }
                ),
            },
        },
        "bare": {"provider": {"type": "x"}},
        "nothing": {},
    }
}
ENDPOINT = {
    "id": "e",
    "version": "3",
    "createdTime": TIME,
    "spec": {
        "name": "endpoint",
        "description": payload("what for"),
        "target": {"worker": {"namespace": "n", "taskQueue": "q"}},
    },
}
SCHEDULE = {
    "action": {
        "startWorkflow": {
            "workflowId": "w",
            "workflowType": {"name": "kind"},
            "taskQueue": {"name": "q"},
        }
    },
    "spec": {"interval": [{"interval": "3600s"}]},
    "policies": {"overlapPolicy": "SCHEDULE_OVERLAP_POLICY_SKIP"},
    "state": {"notes": "n"},
}


def history(request: dict) -> dict:
    wanted = [STARTED, TASK, ENDED]
    if request.get("historyEventFilterType") == "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT":
        wanted = [ENDED]
    return {"history": {"events": wanted}}


ANSWERS = {
    "GetSystemInfo": {"serverVersion": "1.32.0", "capabilities": {"nexus": True}},
    "GetClusterInfo": {
        "serverVersion": "1.32.0",
        "clusterId": "c",
        "clusterName": "active",
        "historyShardCount": 4,
        "persistenceStore": "sqlite",
        "visibilityStore": "sqlite",
    },
    "StartWorkflowExecution": {"runId": RUN, "started": True},
    "SignalWithStartWorkflowExecution": {"runId": RUN, "started": True},
    "ResetWorkflowExecution": {"runId": RUN},
    "GetWorkflowExecutionHistory": history,
    "GetWorkflowExecutionHistoryReverse": {"history": {"events": [ENDED, TASK, STARTED]}},
    "DescribeWorkflowExecution": {
        "executionConfig": {"taskQueue": {"name": "q"}, "defaultWorkflowTaskTimeout": "10s"},
        "workflowExecutionInfo": INFO,
    },
    "ListWorkflowExecutions": {"executions": [INFO]},
    "ListArchivedWorkflowExecutions": {"executions": [INFO]},
    "CountWorkflowExecutions": {
        "count": "3",
        "groups": [{"groupValues": [payload("Running")], "count": "3"}],
    },
    "QueryWorkflow": {"queryResult": {"payloads": [payload({"a": 1})]}},
    "UpdateWorkflowExecution": {
        "updateRef": UPDATE,
        "outcome": OUTCOME,
        "stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED",
    },
    "PollWorkflowExecutionUpdate": {
        "updateRef": UPDATE,
        "outcome": OUTCOME,
        "stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED",
    },
    "ExecuteMultiOperation": {
        "responses": [
            {"startWorkflow": {"runId": RUN, "started": True}},
            {
                "updateWorkflow": {
                    "updateRef": UPDATE,
                    "outcome": OUTCOME,
                    "stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED",
                }
            },
        ]
    },
    "DescribeBatchOperation": {
        "jobId": "j",
        "operationType": "BATCH_OPERATION_TYPE_SIGNAL",
        "state": "BATCH_OPERATION_STATE_COMPLETED",
        "startTime": TIME,
        "closeTime": TIME,
        "totalOperationCount": "2",
        "completeOperationCount": "2",
        "identity": "me",
        "reason": "why",
    },
    "ListBatchOperations": {
        "operationInfo": [
            {"jobId": "j", "state": "BATCH_OPERATION_STATE_RUNNING", "startTime": TIME}
        ]
    },
    "StartActivityExecution": {"runId": RUN, "started": True},
    "DescribeActivityExecution": {
        "runId": RUN,
        "info": {
            "activityId": "a",
            "runId": RUN,
            "activityType": {"name": "act"},
            "status": "ACTIVITY_EXECUTION_STATUS_RUNNING",
            "taskQueue": "q",
            "scheduleTime": TIME,
        },
    },
    "PollActivityExecution": {"runId": RUN, "outcome": {"result": {"payloads": [payload("done")]}}},
    "ListActivityExecutions": {
        "executions": [
            {
                "activityId": "a",
                "runId": RUN,
                "activityType": {"name": "act"},
                "status": "ACTIVITY_EXECUTION_STATUS_RUNNING",
                "scheduleTime": TIME,
            }
        ]
    },
    "CountActivityExecutions": {"count": "2"},
    "StartNexusOperationExecution": {"runId": RUN, "started": True},
    "DescribeNexusOperationExecution": {
        "runId": RUN,
        "info": {
            "operationId": "o",
            "runId": RUN,
            "endpoint": "e",
            "service": "s",
            "operation": "op",
            "status": "NEXUS_OPERATION_EXECUTION_STATUS_RUNNING",
            "scheduleTime": TIME,
        },
    },
    "PollNexusOperationExecution": {"runId": RUN, "result": payload("done")},
    "ListNexusOperationExecutions": {
        "operations": [
            {
                "operationId": "o",
                "runId": RUN,
                "endpoint": "e",
                "service": "s",
                "operation": "op",
                "status": "NEXUS_OPERATION_EXECUTION_STATUS_RUNNING",
                "scheduleTime": TIME,
            }
        ]
    },
    "CountNexusOperationExecutions": {"count": "2"},
    "DescribeNamespace": {
        "namespaceInfo": {"name": "n", "state": "NAMESPACE_STATE_REGISTERED", "id": RUN},
        "config": {"workflowExecutionRetentionTtl": "86400s"},
        "replicationConfig": {
            "activeClusterName": "active",
            "clusters": [{"clusterName": "active"}],
        },
    },
    "ListNamespaces": {
        "namespaces": [
            {"namespaceInfo": {"name": "n", "id": RUN}, "config": {}, "replicationConfig": {}}
        ]
    },
    "DeleteNamespace": {"deletedNamespace": "n-deleted"},
    "ListSearchAttributes": {
        "customAttributes": {"Mine": "INDEXED_VALUE_TYPE_KEYWORD"},
        "systemAttributes": {"WorkflowId": "INDEXED_VALUE_TYPE_KEYWORD"},
    },
    "ListClusters": {
        "clusters": [
            {
                "clusterName": "active",
                "clusterId": "c",
                "address": "127.0.0.1:1",
                "initialFailoverVersion": "1",
                "historyShardCount": 4,
                "isConnectionEnabled": True,
            }
        ]
    },
    "CreateNexusEndpoint": {"endpoint": ENDPOINT},
    "UpdateNexusEndpoint": {"endpoint": ENDPOINT},
    "ListNexusEndpoints": {"endpoints": [ENDPOINT]},
    "DescribeSchedule": {
        "schedule": SCHEDULE,
        "info": {"actionCount": "3", "createTime": TIME, "futureActionTimes": [TIME]},
        "conflictToken": "YWI=",
    },
    "ListSchedules": {
        "schedules": [
            {
                "scheduleId": "s",
                "info": {
                    "spec": {"interval": [{"interval": "3600s"}]},
                    "workflowType": {"name": "kind"},
                },
            }
        ]
    },
    "ListScheduleMatchingTimes": {"startTime": [TIME]},
    "DescribeTaskQueue": {
        "config": {
            "queueRateLimit": {
                "rateLimit": {"requestsPerSecond": 5},
                "metadata": {"reason": "why", "updateTime": TIME},
            }
        },
    },
    "UpdateTaskQueueConfig": {
        "config": {"queueRateLimit": {"rateLimit": {"requestsPerSecond": 5}, "metadata": {}}}
    },
    "ListTaskQueuePartitions": {
        "workflowTaskQueuePartitions": [{"key": "q", "ownerHostName": "h"}],
        "activityTaskQueuePartitions": [{"key": "q", "ownerHostName": "h"}],
    },
    "GetWorkerBuildIdCompatibility": {
        "majorVersionSets": [{"buildIds": ["1", "2"]}, {"buildIds": ["3"]}]
    },
    "GetWorkerTaskReachability": {
        "buildIdReachability": [
            {
                "buildId": "b",
                "taskQueueReachability": [
                    {
                        "taskQueue": "q",
                        "reachability": [
                            "TASK_REACHABILITY_OPEN_WORKFLOWS",
                            "TASK_REACHABILITY_NEW_WORKFLOWS",
                        ],
                    }
                ],
            }
        ]
    },
    "GetWorkerVersioningRules": {"conflictToken": "YWI="},
    "UpdateWorkerVersioningRules": {
        "assignmentRules": [
            {
                "rule": {"targetBuildId": "1", "percentageRamp": {"rampPercentage": 12.5}},
                "createTime": TIME,
            },
            {"rule": {"targetBuildId": "2"}},
        ],
        "compatibleRedirectRules": [
            {"rule": {"sourceBuildId": "1", "targetBuildId": "2"}, "createTime": TIME}
        ],
    },
    "ListWorkers": {
        "workersInfo": [{"workerHeartbeat": {"workerInstanceKey": "k", "taskQueue": "q"}}]
    },
    "CountWorkers": {"count": "4"},
    "DescribeWorker": {
        "workerInfo": {"workerHeartbeat": {"workerInstanceKey": "k", "taskQueue": "q"}}
    },
    "DescribeWorkerDeployment": {
        "conflictToken": "YWI=",
        "workerDeploymentInfo": {
            "name": "d",
            "createTime": TIME,
            "routingConfig": ROUTING,
            "versionSummaries": [
                {
                    "deploymentVersion": {"deploymentName": "d", "buildId": "1"},
                    "createTime": TIME,
                    "drainageStatus": "VERSION_DRAINAGE_STATUS_DRAINING",
                }
            ],
        },
    },
    "DescribeWorkerDeploymentVersion": {
        "workerDeploymentVersionInfo": {
            "deploymentVersion": {"deploymentName": "d", "buildId": "1"},
            "computeConfig": COMPUTE,
            "metadata": {"entries": {"m": payload(1)}},
        },
        "versionTaskQueues": [{"name": "q", "type": "TASK_QUEUE_TYPE_WORKFLOW"}],
    },
    "ListWorkerDeployments": {
        "workerDeployments": [{"name": "d", "createTime": TIME, "routingConfig": ROUTING}]
    },
    "UpdateWorkerDeploymentVersionMetadata": {"metadata": {"entries": {"k": payload([1])}}},
    "SetWorkerDeploymentManager": {"previousManagerIdentity": "before"},
    "UpdateActivityExecutionOptions": {
        "activityOptions": {
            "taskQueue": {"name": "q"},
            "scheduleToCloseTimeout": "9s",
            "scheduleToStartTimeout": "9s",
            "startToCloseTimeout": "5s",
            "heartbeatTimeout": "1s",
            "retryPolicy": {
                "initialInterval": "1s",
                "maximumInterval": "100s",
                "backoffCoefficient": 1.5,
                "maximumAttempts": 2,
            },
        }
    },
    "UpdateWorkflowExecutionOptions": {"workflowExecutionOptions": {}},
}

VERSION = "--deployment-name d --build-id 1"
CLOUD_RUN = (
    "--gcp-cloud-run-worker-pool p --gcp-cloud-run-project pr --gcp-cloud-run-region r "
    "--gcp-cloud-run-service-account sa"
)
SCALING = (
    "--gcp-cloud-run-min-instances 1 --gcp-cloud-run-max-instances 3 "
    "--gcp-cloud-run-initial-instances 1 --gcp-cloud-run-utilization-target 0.7 "
    "--gcp-cloud-run-scale-down-stabilization-duration 1500ms"
)
START = (
    "-t q --type kind -w w -i 1 --memo m=[1] --run-timeout 1h --task-timeout 5s "
    "--search-attribute 'A=\"x\"'"
)
TOLD = "--static-summary s --static-details d --priority-key 2"
ONE_ACTIVITY = "-a a -r r"
OF_A_WORKFLOW = "-a a -w w -r r"

LINES = f"""
activity cancel {ONE_ACTIVITY} --reason why
activity cancel -q "A = 1" --reason why --rps 3 -y
activity complete {OF_A_WORKFLOW} --result [1]
activity complete {ONE_ACTIVITY} --result [1]
activity count -q "A = 1"
activity delete {ONE_ACTIVITY} -y
activity describe {ONE_ACTIVITY}
activity execute -a a -t q --type act --start-to-close-timeout 5s -i 1 --retry-maximum-attempts 3
activity fail {OF_A_WORKFLOW} --reason why --detail [1]
activity list -q "A = 1"
activity pause {OF_A_WORKFLOW} --reason why
activity reset {OF_A_WORKFLOW} --keep-paused --clear-heartbeat-details
activity reset -q "A = 1" --reason why -y --jitter 5s
activity reset -q "A = 1" --reason why -y --clear-heartbeat-details --restore-original-options
activity result {ONE_ACTIVITY}
activity start -a a -t q --type act --start-to-close-timeout 5s -i 1 --heartbeat-timeout 1s
activity terminate {ONE_ACTIVITY} --reason why
activity unpause {OF_A_WORKFLOW} --jitter 1s
activity unpause -q "A = 1" --reason why -y
activity update-options {OF_A_WORKFLOW} --start-to-close-timeout 5s --task-queue q --retry-maximum-attempts 2
activity update-options -q "A = 1" --reason why -y --heartbeat-timeout 1s
batch describe --job-id j
batch list --limit 1
batch terminate --job-id j --reason why
nexus operation cancel --operation-id o -r r --reason why
nexus operation count -q "A = 1"
nexus operation describe --operation-id o -r r
nexus operation execute --operation-id o --endpoint e --service s --operation op -i 1
nexus operation list -q "A = 1"
nexus operation result --operation-id o -r r
nexus operation start --operation-id o --endpoint e --service s --operation op -i 1 --schedule-to-close-timeout 5s
nexus operation terminate --operation-id o -r r --reason why
operator cluster describe
operator cluster list
operator cluster remove --name c
operator cluster system
operator cluster upsert --frontend-address 127.0.0.1:1 --enable-connection
operator namespace create -n n --retention 2d --description what --email a@b --data k=v
operator namespace delete -n n -y
operator namespace describe -n n
operator namespace list
operator namespace update -n n --retention 3d --description what
operator nexus endpoint create --name e --target-namespace n --target-task-queue q --description d
operator nexus endpoint delete --name endpoint
operator nexus endpoint get --name endpoint
operator nexus endpoint list
operator nexus endpoint update --name endpoint --target-url http://a.example --unset-description
operator search-attribute create --name Other --type Keyword
operator search-attribute list
operator search-attribute remove --name Mine -y
schedule backfill -s s --start-time {TIME} --end-time {TIME} --overlap-policy AllowAll
schedule create -s s --interval 1h --jitter 5s --overlap-policy BufferOne -t q --type kind -w w -i 1 --paused --notes n
schedule delete -s s
schedule describe -s s
schedule list
schedule list-matching-times -s s --start-time {TIME} --end-time {TIME}
schedule toggle -s s --pause --reason why
schedule trigger -s s --overlap-policy Skip
schedule update -s s --cron "30 12 * * Fri" -t q --type kind -w w -i 1
task-queue config get -t q --task-queue-type workflow
task-queue config set -t q --task-queue-type activity --queue-rps-limit 5 --queue-rps-limit-reason why
task-queue describe -t q
task-queue get-build-id-reachability --build-id b -t q --reachability-type open
task-queue get-build-ids -t q --max-sets 3
task-queue list-partition -t q
task-queue update-build-ids add-new-compatible -t q --build-id b --existing-compatible-build-id a --set-as-default
task-queue update-build-ids add-new-default -t q --build-id b
task-queue update-build-ids promote-id-in-set -t q --build-id b
task-queue update-build-ids promote-set -t q --build-id b
task-queue versioning add-redirect-rule -t q --source-build-id a --target-build-id b -y
task-queue versioning commit-build-id -t q --build-id b --force -y
task-queue versioning delete-assignment-rule -t q -i 2 --force -y
task-queue versioning delete-redirect-rule -t q --source-build-id a -y
task-queue versioning get-rules -t q
task-queue versioning insert-assignment-rule -t q --build-id b --percentage 20 -i 1 -y
task-queue versioning insert-assignment-rule -t q --build-id b -y
task-queue versioning replace-assignment-rule -t q --build-id b -i 1 --force -y
task-queue versioning replace-redirect-rule -t q --source-build-id a --target-build-id b -y
worker count -q "A = 1"
worker deployment create -d d
worker deployment create-version {VERSION} --aws-lambda-function-arn arn --aws-lambda-assume-role-arn role --aws-lambda-assume-role-external-id id
worker deployment create-version {VERSION} --aws-agentcore-endpoint-arn arn --aws-agentcore-skip-role-and-external-id
worker deployment create-version {VERSION} {CLOUD_RUN} {SCALING}
worker deployment delete -d d
worker deployment delete-version {VERSION} --skip-drainage
worker deployment describe -d d
worker deployment describe-version {VERSION}
worker deployment list
worker deployment manager-identity set --deployment-name d --manager-identity other -y
worker deployment manager-identity set --deployment-name d --self -y
worker deployment manager-identity unset --deployment-name d -y
worker deployment set-current-version {VERSION} -y --ignore-missing-task-queues
worker deployment set-ramping-version {VERSION} --percentage 12.5 -y --allow-no-pollers
worker deployment set-ramping-version --deployment-name d --delete -y
worker deployment update-version-compute-config {VERSION} --aws-lambda-function-arn arn --aws-lambda-skip-role-and-external-id
worker deployment update-version-compute-config {VERSION} {CLOUD_RUN}
worker deployment update-version-compute-config {VERSION} {CLOUD_RUN} {SCALING}
worker deployment update-version-compute-config {VERSION} {SCALING}
worker deployment update-version-compute-config {VERSION} --remove
worker deployment update-version-metadata {VERSION} --metadata k=[1] --remove-entries o
worker describe --worker-instance-key k
worker list -q "A = 1"
workflow cancel -w w -r r
workflow cancel -q "A = 1" --reason why --rps 2 -y
workflow count -q "A = 1"
workflow delete -w w -r r -y
workflow describe -w w -r r
workflow execute {START} {TOLD}
workflow execute-update-with-start {START} {TOLD} --update-name up --update-id u --update-input 1 --id-conflict-policy UseExisting
workflow list -q "A = 1"
workflow metadata -w w -r r
workflow pause -w w -r r --reason why
workflow query -w w -r r --name q -i 1 --reject-condition not_open
workflow reset -w w -r {RUN} -e 4 --reason why
workflow reset -q "A = 1" --type LastWorkflowTask --reason why -y
workflow reset with-workflow-update-options -w w -r {RUN} -e 4 --reason why --versioning-override-behavior auto_upgrade
workflow result -w w -r {RUN}
workflow show -w w -r r
workflow show -w w -r r --reverse
workflow signal -w w -r r --name s -i 1 -i null
workflow signal -q "A = 1" --name s -i 1 --reason why -y
workflow signal-with-start {START} --signal-name s --signal-input 1
workflow stack -w w -r r
workflow start {START} {TOLD} --id-reuse-policy RejectDuplicate --start-delay 5s --headers h=1
workflow start-update-with-start {START} {TOLD} --update-name up --update-id u --update-input 1 --id-conflict-policy UseExisting --update-wait-for-stage accepted
workflow terminate -w w -r r --reason why
workflow unpause -w w -r r --reason why
workflow update describe -w w -r r --update-id u
workflow update execute -w w -r r --name up --update-id u -i 1
workflow update result -w w -r r --update-id u
workflow update start -w w -r r --name up --update-id u -i 1 --wait-for-stage accepted
workflow update-options -w w -r r --versioning-override-behavior pinned --versioning-override-deployment-name d --versioning-override-build-id 1
workflow update-options -q "A = 1" --reason why -y --versioning-override-behavior auto_upgrade
"""

REFUSED = f"""
worker deployment create-version {VERSION}
worker deployment create-version {VERSION} --aws-lambda-function-arn arn
worker deployment create-version {VERSION} --aws-lambda-assume-role-arn role
worker deployment create-version {VERSION} --aws-lambda-function-arn a --aws-lambda-assume-role-arn b --aws-lambda-skip-role-and-external-id
worker deployment create-version {VERSION} --aws-lambda-function-arn a --aws-agentcore-endpoint-arn b
worker deployment create-version {VERSION} --aws-lambda-function-arn a --aws-lambda-skip-role-and-external-id --gcp-cloud-run-min-instances 1
worker deployment create-version {VERSION} --gcp-cloud-run-project pr
worker deployment create-version {VERSION} {CLOUD_RUN} --gcp-cloud-run-min-instances 1
worker deployment create-version {VERSION} {CLOUD_RUN} {SCALING.replace("min-instances 1", "min-instances -1")}
worker deployment create-version {VERSION} {CLOUD_RUN} {SCALING.replace("min-instances 1", "min-instances 5")}
worker deployment create-version {VERSION} {CLOUD_RUN} {SCALING.replace("initial-instances 1", "initial-instances 9")}
worker deployment create-version {VERSION} {CLOUD_RUN} {SCALING.replace("target 0.7", "target 1.7")}
worker deployment update-version-compute-config {VERSION}
worker deployment update-version-compute-config {VERSION} --remove --aws-agentcore-endpoint-arn a
workflow cancel -w w -q "A = 1"
workflow signal --name s
activity reset --keep-paused
"""
