import { queryOptions } from "@tanstack/react-query";
import { get, within } from "../api/http";
import type { Failure, Payload } from "../api/types";

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
  queryOptions({
    queryKey: ["nexus-operations", namespace, query],
    queryFn: ({ signal }) =>
      get<{ operations?: NexusOperationListInfo[] }>(within(namespace, "nexus-operations"), {
        query: { query, pageSize: 100 },
        signal,
      }),
    refetchInterval: REFRESH_MS,
  });

export const nexusOperationQuery = (namespace: string, operationId: string, runId: string) =>
  queryOptions({
    queryKey: ["nexus-operation", namespace, operationId, runId],
    queryFn: ({ signal }) =>
      get<DescribeNexusOperation>(within(namespace, "nexus-operations", operationId), {
        query: { runId, includeInput: true, includeOutcome: true },
        signal,
      }),
    refetchInterval: (query) => (query.state.data?.info?.closeTime ? false : REFRESH_MS),
  });
