import { queryOptions } from "@tanstack/react-query";
import { get, within } from "../api/http";
import type { Failure, Payloads, UserMetadata } from "../api/types";

export interface ActivityListInfo {
  activityId: string;
  runId: string;
  activityType?: { name?: string };
  scheduleTime?: string;
  closeTime?: string;
  status?: string;
  taskQueue?: string;
}

export interface ActivityInfo extends ActivityListInfo, JsonObjectLike {
  runState?: string;
  attempt?: number;
  lastFailure?: Failure;
  heartbeatDetails?: Payloads;
  userMetadata?: UserMetadata;
}
type JsonObjectLike = Record<string, unknown>;

export interface DescribeActivity {
  info?: ActivityInfo;
  input?: Payloads;
  outcome?: { result?: Payloads; failure?: Failure };
}

const REFRESH_MS = 5_000;

export const activitiesQuery = (namespace: string, query: string) =>
  queryOptions({
    queryKey: ["activities", namespace, query],
    queryFn: ({ signal }) =>
      get<{ executions?: ActivityListInfo[]; nextPageToken?: string }>(
        within(namespace, "activities"),
        {
          query: { query, pageSize: 100 },
          signal,
        },
      ),
    refetchInterval: REFRESH_MS,
  });

export const activityQuery = (namespace: string, activityId: string, runId: string) =>
  queryOptions({
    queryKey: ["activity", namespace, activityId, runId],
    queryFn: ({ signal }) =>
      get<DescribeActivity>(within(namespace, "activities", activityId), {
        query: { runId, includeInput: true, includeOutcome: true },
        signal,
      }),
    refetchInterval: (query) => (query.state.data?.info?.closeTime ? false : REFRESH_MS),
  });
