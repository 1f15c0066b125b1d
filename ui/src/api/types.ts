/** The API's messages in proto JSON, as far as the pages read them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };
export type JsonObject = { [key: string]: Json | undefined };

/** Bytes come as base64, in `data` as in the values of `metadata`. */
export interface Payload {
  metadata?: Record<string, string>;
  data?: string;
}

export interface Payloads {
  payloads?: Payload[];
}

export interface Execution {
  workflowId: string;
  runId?: string;
}

export interface UserMetadata {
  summary?: Payload;
  details?: Payload;
}

export interface Failure {
  message?: string;
  source?: string;
  stackTrace?: string;
  encodedAttributes?: Payload;
  cause?: Failure;
  applicationFailureInfo?: { type?: string; nonRetryable?: boolean; details?: Payloads };
  timeoutFailureInfo?: { timeoutType?: string; lastHeartbeatDetails?: Payloads };
  canceledFailureInfo?: { details?: Payloads };
  terminatedFailureInfo?: JsonObject;
  serverFailureInfo?: { nonRetryable?: boolean };
  resetWorkflowFailureInfo?: JsonObject;
  activityFailureInfo?: {
    activityId?: string;
    activityType?: { name?: string };
    retryState?: string;
  };
  childWorkflowExecutionFailureInfo?: {
    workflowExecution?: Execution;
    workflowType?: { name?: string };
  };
  nexusOperationExecutionFailureInfo?: { endpoint?: string; service?: string; operation?: string };
}

export interface WorkflowExecutionInfo {
  execution: Execution;
  type?: { name?: string };
  startTime?: string;
  closeTime?: string;
  executionTime?: string;
  executionDuration?: string;
  status?: string;
  historyLength?: string;
  historySizeBytes?: string;
  stateTransitionCount?: string;
  memo?: { fields?: Record<string, Payload> };
  searchAttributes?: { indexedFields?: Record<string, Payload> };
  taskQueue?: string;
  parentExecution?: Execution;
  rootExecution?: Execution;
  firstRunId?: string;
  assignedBuildId?: string;
  autoResetPoints?: { points?: { firstWorkflowTaskCompletedId?: string; buildId?: string }[] };
  mostRecentWorkerVersionStamp?: { buildId?: string };
  versioningInfo?: JsonObject;
  workerDeploymentName?: string;
}

export interface PendingActivity {
  activityId: string;
  activityType?: { name?: string };
  state?: string;
  attempt?: number;
  maximumAttempts?: number;
  scheduledTime?: string;
  lastStartedTime?: string;
  lastHeartbeatTime?: string;
  heartbeatDetails?: Payloads;
  expirationTime?: string;
  lastFailure?: Failure;
  lastWorkerIdentity?: string;
  currentRetryInterval?: string;
  lastAttemptCompleteTime?: string;
  nextAttemptScheduleTime?: string;
  paused?: boolean;
  pauseInfo?: { pauseTime?: string; manual?: { identity?: string; reason?: string } };
  activityOptions?: {
    taskQueue?: { name?: string };
    scheduleToCloseTimeout?: string;
    scheduleToStartTimeout?: string;
    startToCloseTimeout?: string;
    heartbeatTimeout?: string;
    retryPolicy?: RetryPolicy;
  };
}

export interface RetryPolicy {
  initialInterval?: string;
  backoffCoefficient?: number;
  maximumInterval?: string;
  maximumAttempts?: number;
  nonRetryableErrorTypes?: string[];
}

export interface PendingChild {
  workflowId: string;
  runId?: string;
  workflowTypeName?: string;
  initiatedId?: string;
  parentClosePolicy?: string;
}

export interface PendingNexusOperation {
  endpoint?: string;
  service?: string;
  operation?: string;
  operationId?: string;
  operationToken?: string;
  state?: string;
  attempt?: number;
  scheduledTime?: string;
  lastAttemptFailure?: Failure;
  nextAttemptScheduleTime?: string;
  blockedReason?: string;
}

export interface PendingWorkflowTask {
  state?: string;
  scheduledTime?: string;
  originalScheduledTime?: string;
  startedTime?: string;
  attempt?: number;
}

export interface Callback {
  callback?: { nexus?: { url?: string } };
  state?: string;
  attempt?: number;
  lastAttemptFailure?: Failure;
  nextAttemptScheduleTime?: string;
}

export interface DescribeWorkflow {
  executionConfig?: {
    taskQueue?: { name?: string };
    workflowExecutionTimeout?: string;
    workflowRunTimeout?: string;
    defaultWorkflowTaskTimeout?: string;
    userMetadata?: UserMetadata;
  };
  workflowExecutionInfo: WorkflowExecutionInfo;
  pendingActivities?: PendingActivity[];
  pendingChildren?: PendingChild[];
  pendingWorkflowTask?: PendingWorkflowTask;
  pendingNexusOperations?: PendingNexusOperation[];
  callbacks?: Callback[];
  workflowExtendedInfo?: {
    executionExpirationTime?: string;
    runExpirationTime?: string;
    cancelRequested?: boolean;
    lastResetTime?: string;
    originalStartTime?: string;
    resetRunId?: string;
    pauseInfo?: { pausedTime?: string; identity?: string; reason?: string };
  };
}

/** An event; its attributes stand under a key that depends on its type: `attributesOf`. */
export interface HistoryEvent {
  eventId: string;
  eventTime?: string;
  eventType: string;
  taskId?: string;
  userMetadata?: UserMetadata;
  links?: JsonObject[];
  workerMayIgnore?: boolean;
  [attributes: string]: Json | UserMetadata | undefined;
}

export interface HistoryPage {
  history?: { events?: HistoryEvent[] };
  nextPageToken?: string;
}

export interface ListWorkflows {
  executions?: WorkflowExecutionInfo[];
  nextPageToken?: string;
}

export interface CountResponse {
  count?: string;
  groups?: { groupValues?: Payload[]; count?: string }[];
}

export interface Poller {
  identity?: string;
  lastAccessTime?: string;
  ratePerSecond?: number;
  workerVersionCapabilities?: { buildId?: string; deploymentSeriesName?: string };
  deploymentOptions?: { deploymentName?: string; buildId?: string; workerVersioningMode?: string };
}

export interface TaskQueueStats {
  approximateBacklogCount?: string;
  approximateBacklogAge?: string;
  tasksAddRate?: number;
  tasksDispatchRate?: number;
}

export interface DescribeTaskQueue {
  pollers?: Poller[];
  stats?: TaskQueueStats;
  statsByPriorityKey?: Record<string, TaskQueueStats>;
  versioningInfo?: {
    currentDeploymentVersion?: { deploymentName?: string; buildId?: string };
    currentVersion?: string;
    rampingDeploymentVersion?: { deploymentName?: string; buildId?: string };
    rampingVersionPercentage?: number;
  };
  effectiveRateLimit?: { requestsPerSecond?: number; rateLimitSource?: string };
}

export interface WorkerInfo {
  workerInstanceKey?: string;
  workerIdentity?: string;
  taskQueue?: string;
  deploymentVersion?: { deploymentName?: string; buildId?: string };
  sdkName?: string;
  sdkVersion?: string;
  status?: string;
  startTime?: string;
  hostName?: string;
  processId?: string;
}

export interface SlotsInfo {
  currentAvailableSlots?: number;
  currentUsedSlots?: number;
  slotSupplierKind?: string;
  totalProcessedTasks?: number;
  totalFailedTasks?: number;
}

export interface WorkerHeartbeat extends WorkerInfo {
  hostInfo?: {
    hostName?: string;
    processId?: string;
    currentHostCpuUsage?: number;
    currentHostMemUsage?: number;
  };
  heartbeatTime?: string;
  workflowTaskSlotsInfo?: SlotsInfo;
  activityTaskSlotsInfo?: SlotsInfo;
  nexusTaskSlotsInfo?: SlotsInfo;
  localActivitySlotsInfo?: SlotsInfo;
}

export interface ListWorkers {
  workersInfo?: { workerHeartbeat?: WorkerHeartbeat }[];
  workers?: WorkerInfo[];
  nextPageToken?: string;
}

export interface Namespace {
  namespaceInfo: {
    name: string;
    id?: string;
    state?: string;
    description?: string;
    ownerEmail?: string;
    data?: Record<string, string>;
    capabilities?: Record<string, boolean>;
    limits?: Record<string, string>;
  };
  config?: {
    workflowExecutionRetentionTtl?: string;
    historyArchivalState?: string;
    visibilityArchivalState?: string;
    historyArchivalUri?: string;
    customSearchAttributeAliases?: Record<string, string>;
  };
  replicationConfig?: { activeClusterName?: string; clusters?: { clusterName?: string }[] };
  isGlobalNamespace?: boolean;
}

export interface SearchAttributes {
  systemAttributes?: Record<string, string>;
  customAttributes?: Record<string, string>;
}
