import { within } from "../api/http";
import { watched } from "../api/watch";

export interface BatchOperationInfo {
  jobId: string;
  state?: string;
  startTime?: string;
  closeTime?: string;
}

export interface BatchOperationDetail extends BatchOperationInfo {
  operationType?: string;
  totalOperationCount?: string;
  completeOperationCount?: string;
  failureOperationCount?: string;
  identity?: string;
  reason?: string;
}

const REFRESH_MS = 2_000;
const LIST_REFRESH_MS = 5_000;

export const batchOperationsQuery = (namespace: string) =>
  watched<{ operationInfo?: BatchOperationInfo[] }>({
    queryKey: ["batch-operations", namespace],
    path: within(namespace, "batch-operations"),
    query: { pageSize: 100 },
    refresh: LIST_REFRESH_MS,
  });

export const batchOperationQuery = (namespace: string, jobId: string) =>
  watched<BatchOperationDetail>({
    queryKey: ["batch-operation", namespace, jobId],
    path: within(namespace, "batch-operations", jobId),
    refresh: (operation) =>
      operation?.state === "BATCH_OPERATION_STATE_RUNNING" ? REFRESH_MS : false,
  });
