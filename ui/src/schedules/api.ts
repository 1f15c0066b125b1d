import { call, IDENTITY, post, within } from "../api/http";
import { watched } from "../api/watch";
import { newId } from "../workflows/actions/api";
import type { DescribeSchedule, Schedule, ScheduleListEntry } from "./types";

const REFRESH_MS = 5_000;
const at = (namespace: string, scheduleId: string, ...parts: string[]): string =>
  within(namespace, "schedules", scheduleId, ...parts);

export const schedulesQuery = (namespace: string, query: string) =>
  watched<{ schedules?: ScheduleListEntry[]; nextPageToken?: string }>({
    queryKey: ["schedules", namespace, query],
    path: within(namespace, "schedules"),
    query: { query, maximumPageSize: 100 },
    refresh: REFRESH_MS,
  });

export const scheduleQuery = (namespace: string, scheduleId: string) =>
  watched<DescribeSchedule>({
    queryKey: ["schedule", namespace, scheduleId],
    path: at(namespace, scheduleId),
    refresh: REFRESH_MS,
  });

export const createSchedule = (namespace: string, scheduleId: string, schedule: Schedule) =>
  post(at(namespace, scheduleId), { scheduleId, schedule, identity: IDENTITY, requestId: newId() });

export const updateSchedule = (
  namespace: string,
  scheduleId: string,
  schedule: Schedule,
  conflictToken: string | undefined,
) =>
  post(at(namespace, scheduleId, "update"), {
    scheduleId,
    schedule,
    conflictToken,
    identity: IDENTITY,
    requestId: newId(),
  });

export interface Patch {
  triggerImmediately?: { overlapPolicy?: string };
  backfillRequest?: { startTime: string; endTime: string; overlapPolicy?: string }[];
  pause?: string;
  unpause?: string;
}

export const patchSchedule = (namespace: string, scheduleId: string, patch: Patch) =>
  post(at(namespace, scheduleId, "patch"), {
    scheduleId,
    patch,
    identity: IDENTITY,
    requestId: newId(),
  });

export const deleteSchedule = (namespace: string, scheduleId: string) =>
  call("DELETE", at(namespace, scheduleId), { query: { identity: IDENTITY } });
