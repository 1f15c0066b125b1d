import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, within } from "../../api/http";
import type { CountResponse, ListWorkflows } from "../../api/types";
import { searchAttributeText } from "../../payloads/decode";

export const PAGE_SIZE = 100;
/** The first page follows what happens; a page further on stands still. */
const REFRESH_MS = 5_000;

export const workflowListQuery = (namespace: string, query: string, after: string | undefined) =>
  queryOptions({
    queryKey: ["workflows", namespace, query, after ?? ""],
    queryFn: ({ signal }) =>
      get<ListWorkflows>(within(namespace, "workflows"), {
        query: { query, pageSize: PAGE_SIZE, nextPageToken: after },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: after === undefined ? REFRESH_MS : false,
  });

export interface StatusCounts {
  total: number;
  byStatus: Record<string, number>;
}

export function readCounts(answer: CountResponse): StatusCounts {
  const byStatus: Record<string, number> = {};
  for (const { groupValues, count } of answer.groups ?? []) {
    const [value] = groupValues ?? [];
    if (value) byStatus[searchAttributeText(value)] = Number(count ?? 0);
  }
  return { total: Number(answer.count ?? 0), byStatus };
}

/** How many workflows of a query are in each status. */
export const statusCountsQuery = (namespace: string, query: string) =>
  queryOptions({
    queryKey: ["workflow-counts", namespace, query],
    queryFn: async ({ signal }) =>
      readCounts(
        await get<CountResponse>(within(namespace, "workflow-count"), {
          query: { query: `${query} GROUP BY ExecutionStatus`.trim() },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });

export async function countWorkflows(
  namespace: string,
  query: string,
  signal?: AbortSignal,
): Promise<number> {
  const answer = await get<CountResponse>(within(namespace, "workflow-count"), {
    query: { query },
    signal,
  });
  return Number(answer.count ?? 0);
}
