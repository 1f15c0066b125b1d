import { within } from "../api/http";
import type { Failure, Payload } from "../api/types";
import { watched } from "../api/watch";

export interface NexusOperationListInfo {
  operationId: string;
  runId: string;
  endpoint?: string;
  service?: string;
  operation?: string;
  scheduleTime?: string;
  closeTime?: string;
  status?: string;
}

export interface NexusOperationInfo extends NexusOperationListInfo {
  lastAttemptFailure?: Failure;
  [attribute: string]: unknown;
}

export interface DescribeNexusOperation {
  info?: NexusOperationInfo;
  input?: Payload;
  result?: Payload;
  failure?: Failure;
}

const REFRESH_MS = 5_000;

export const nexusOperationsQuery = (namespace: string, query: string) =>
  watched<{ operations?: NexusOperationListInfo[] }>({
    queryKey: ["nexus-operations", namespace, query],
    path: within(namespace, "nexus-operations"),
    query: { query, pageSize: 100 },
    refresh: REFRESH_MS,
  });

export const nexusOperationQuery = (namespace: string, operationId: string, runId: string) =>
  watched<DescribeNexusOperation>({
    queryKey: ["nexus-operation", namespace, operationId, runId],
    path: within(namespace, "nexus-operations", operationId),
    query: { runId, includeInput: true, includeOutcome: true },
    refresh: (operation) => (operation?.info?.closeTime ? false : REFRESH_MS),
  });
