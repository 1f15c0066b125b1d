import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getOwn } from "../api/http";
import { type AuditSearch, pointInTime, TEXTS } from "./search";

export const PAGE_SIZE = 100;

/** One line of the log; `longtide audit query` shows the same. */
export interface AuditRecord {
  seq: number;
  time: string;
  kind: string;
  hash: string;
  principal?: { kind: string; name?: string };
  source?: string;
  rpc?: string;
  service?: string;
  namespace?: string;
  target?: Record<string, string>;
  decision?: string;
  rule?: string;
  outcome?: string;
  count?: number;
  [other: string]: unknown;
}

export interface AuditPageData {
  records: AuditRecord[];
  nextPageToken?: string;
}

/** Each look is in the log itself: nothing is asked again without a reason. */
export const auditQuery = (search: AuditSearch) => {
  const { before, record: _, ...filter } = search;
  return queryOptions({
    queryKey: ["audit", filter, before ?? 0],
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => {
      const now = Date.now();
      const at = (name: "since" | "until"): string | undefined => {
        const written = filter[name];
        if (written === undefined) return undefined;
        const time = pointInTime(written, now);
        if (time === undefined)
          throw new Error(`\`${written}\` is no time, as 1h or 2026-11-22T10:00`);
        return time;
      };
      return getOwn<AuditPageData>("ui-api/audit", {
        query: {
          ...Object.fromEntries(TEXTS.map((name) => [name, filter[name]])),
          decision: filter.decision,
          since: at("since"),
          until: at("until"),
          all: filter.all,
          pageSize: PAGE_SIZE,
          nextPageToken: before,
        },
        signal,
      });
    },
  });
};
