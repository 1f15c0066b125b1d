import { IDENTITY, post, within } from "../api/http";
import type { Payload } from "../api/types";
import { newId } from "../workflows/actions/api";

/** The workflows that a batch is about: those that a filter finds, or some that were chosen. */
export type BatchTarget =
  | { query: string }
  | { executions: { workflowId: string; runId?: string }[] };

export type BatchOperation =
  | { kind: "cancel" }
  | { kind: "terminate" }
  | { kind: "signal"; signal: string; input: Payload[] }
  | { kind: "reset"; to: "first" | "last" };

function body(operation: BatchOperation, reason: string): object {
  switch (operation.kind) {
    case "cancel":
      return { cancellationOperation: { identity: IDENTITY } };
    case "terminate":
      return { terminationOperation: { identity: IDENTITY } };
    case "signal":
      return {
        signalOperation: {
          signal: operation.signal,
          input: operation.input.length > 0 ? { payloads: operation.input } : undefined,
          identity: IDENTITY,
        },
      };
    case "reset":
      return {
        resetOperation: {
          identity: IDENTITY,
          options: {
            ...(operation.to === "first" ? { firstWorkflowTask: {} } : { lastWorkflowTask: {} }),
            resetReapplyType: "RESET_REAPPLY_TYPE_ALL_ELIGIBLE",
          },
        },
        reason,
      };
  }
}

/** Starts a batch; its job id comes back. */
export async function startBatch(
  namespace: string,
  target: BatchTarget,
  operation: BatchOperation,
  reason: string,
): Promise<string> {
  const jobId = newId();
  await post(within(namespace, "batch-operations", jobId), {
    jobId,
    reason,
    ...("query" in target ? { visibilityQuery: target.query } : { executions: target.executions }),
    ...body(operation, reason),
  });
  return jobId;
}

export const stopBatch = (namespace: string, jobId: string, reason: string) =>
  post(within(namespace, "batch-operations", jobId, "stop"), { reason, identity: IDENTITY });
