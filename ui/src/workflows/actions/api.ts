import { IDENTITY, post, within } from "../../api/http";
import type { Failure, Payload, Payloads } from "../../api/types";

/** A run that something is done to. */
export interface Target {
  namespace: string;
  workflowId: string;
  runId: string;
}

/** An id that is the action's own; pages that came over http have no `randomUUID`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const execution = ({ workflowId, runId }: Target) => ({ workflowId, runId });
const at = ({ namespace, workflowId }: Target, ...parts: string[]): string =>
  within(namespace, "workflows", workflowId, ...parts);
const input = (payloads: Payload[]): { payloads: Payload[] } | undefined =>
  payloads.length === 0 ? undefined : { payloads };

export const signalWorkflow = (target: Target, name: string, args: Payload[]) =>
  post(at(target, "signal", name), {
    workflowExecution: execution(target),
    signalName: name,
    input: input(args),
    identity: IDENTITY,
    requestId: newId(),
  });

export interface UpdateOutcome {
  stage?: string;
  outcome?: { success?: Payloads; failure?: Failure };
}

export const updateWorkflow = (
  target: Target,
  name: string,
  args: Payload[],
  signal?: AbortSignal,
) =>
  post<UpdateOutcome>(
    at(target, "update", name),
    {
      workflowExecution: execution(target),
      waitPolicy: { lifecycleStage: "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED" },
      request: {
        meta: { updateId: newId(), identity: IDENTITY },
        input: { name, args: input(args) },
      },
    },
    { signal },
  );

export const cancelWorkflow = (target: Target, reason: string) =>
  post(at(target, "cancel"), {
    workflowExecution: execution(target),
    identity: IDENTITY,
    requestId: newId(),
    reason,
  });

export const terminateWorkflow = (target: Target, reason: string) =>
  post(at(target, "terminate"), {
    workflowExecution: execution(target),
    reason,
    identity: IDENTITY,
  });

export const resetWorkflow = (
  target: Target,
  options: { reason: string; eventId: number; exclude: string[] },
) =>
  post<{ runId?: string }>(at(target, "reset"), {
    workflowExecution: execution(target),
    reason: options.reason,
    workflowTaskFinishEventId: String(options.eventId),
    requestId: newId(),
    resetReapplyExcludeTypes: options.exclude,
    identity: IDENTITY,
  });

export const pauseWorkflow = (target: Target, reason: string) =>
  post(at(target, "pause"), {
    runId: target.runId,
    reason,
    identity: IDENTITY,
    requestId: newId(),
  });

export const unpauseWorkflow = (target: Target, reason: string) =>
  post(at(target, "unpause"), {
    runId: target.runId,
    reason,
    identity: IDENTITY,
    requestId: newId(),
  });

const activities = (target: Target, verb: string, body: object) =>
  post(within(target.namespace, "activities-deprecated", verb), {
    execution: execution(target),
    identity: IDENTITY,
    ...body,
  });

export const pauseActivity = (target: Target, id: string, reason: string) =>
  activities(target, "pause", { id, reason });
export const unpauseActivity = (target: Target, id: string) =>
  activities(target, "unpause", { id });
export const resetActivity = (target: Target, id: string, resetHeartbeat: boolean) =>
  activities(target, "reset", { id, resetHeartbeat });

export interface StartRequest {
  workflowId: string;
  type: string;
  taskQueue: string;
  input: Payload[];
  reusePolicy?: string | undefined;
  conflictPolicy?: string | undefined;
  executionTimeout?: string | undefined;
  startDelay?: string | undefined;
  memo?: Record<string, Payload> | undefined;
  searchAttributes?: Record<string, Payload> | undefined;
  summary?: Payload | undefined;
  details?: Payload | undefined;
}

export const startWorkflow = (namespace: string, request: StartRequest) =>
  post<{ runId?: string }>(within(namespace, "workflows", request.workflowId), {
    workflowType: { name: request.type },
    taskQueue: { name: request.taskQueue },
    input: input(request.input),
    identity: IDENTITY,
    requestId: newId(),
    workflowIdReusePolicy: request.reusePolicy,
    workflowIdConflictPolicy: request.conflictPolicy,
    workflowExecutionTimeout: request.executionTimeout,
    workflowStartDelay: request.startDelay,
    memo: request.memo && { fields: request.memo },
    searchAttributes: request.searchAttributes && { indexedFields: request.searchAttributes },
    userMetadata:
      request.summary || request.details
        ? { summary: request.summary, details: request.details }
        : undefined,
  });
