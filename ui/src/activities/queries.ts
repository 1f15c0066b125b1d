import { within } from "../api/http";
import type { Failure, Payloads, UserMetadata } from "../api/types";
import { watched } from "../api/watch";

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
  watched<{ executions?: ActivityListInfo[]; nextPageToken?: string }>({
    queryKey: ["activities", namespace, query],
    path: within(namespace, "activities"),
    query: { query, pageSize: 100 },
    refresh: REFRESH_MS,
  });

export const activityQuery = (namespace: string, activityId: string, runId: string) =>
  watched<DescribeActivity>({
    queryKey: ["activity", namespace, activityId, runId],
    path: within(namespace, "activities", activityId),
    query: { runId, includeInput: true, includeOutcome: true },
    refresh: (activity) => (activity?.info?.closeTime ? false : REFRESH_MS),
  });
