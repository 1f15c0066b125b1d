import { queryOptions } from "@tanstack/react-query";
import { get, within } from "../api/http";

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
  queryOptions({
    queryKey: ["batch-operations", namespace],
    queryFn: ({ signal }) =>
      get<{ operationInfo?: BatchOperationInfo[] }>(within(namespace, "batch-operations"), {
        query: { pageSize: 100 },
        signal,
      }),
    refetchInterval: LIST_REFRESH_MS,
  });

export const batchOperationQuery = (namespace: string, jobId: string) =>
  queryOptions({
    queryKey: ["batch-operation", namespace, jobId],
    queryFn: ({ signal }) =>
      get<BatchOperationDetail>(within(namespace, "batch-operations", jobId), { signal }),
    refetchInterval: (query) =>
      query.state.data?.state === "BATCH_OPERATION_STATE_RUNNING" ? REFRESH_MS : false,
  });
