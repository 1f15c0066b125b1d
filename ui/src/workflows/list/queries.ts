import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, within } from "../../api/http";
import type { CountResponse, ListWorkflows } from "../../api/types";
import { searchAttributeText } from "../../payloads/decode";

export const PAGE_SIZE = 100;
/** How often a server is asked that does not tell of changes. A page further on stands still. */
const REFRESH_MS = 5_000;
/** How often for what is beyond the first page, of whose changes nobody tells. */
const REFRESH_BEYOND_MS = 30_000;

export const workflowListQuery = (
  namespace: string,
  query: string,
  after: string | undefined,
  told = false,
) =>
  queryOptions({
    queryKey: ["workflows", namespace, query, after ?? ""],
    queryFn: ({ signal }) =>
      get<ListWorkflows>(within(namespace, "workflows"), {
        query: { query, pageSize: PAGE_SIZE, nextPageToken: after },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: after === undefined && !told ? REFRESH_MS : false,
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
export const statusCountsQuery = (namespace: string, query: string, told = false) =>
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
    refetchInterval: told ? REFRESH_BEYOND_MS : REFRESH_MS,
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
