import { queryOptions } from "@tanstack/react-query";
import { get, path, within } from "../api/http";
import type { Namespace, SearchAttributes } from "../api/types";

const PAGE_SIZE = 200;
const PAGES_MAX = 25;
const RARELY_MS = 60_000;

/** All namespaces that the caller may see. */
export const namespacesQuery = queryOptions({
  queryKey: ["namespaces"],
  staleTime: RARELY_MS,
  queryFn: async ({ signal }) => {
    const all: Namespace[] = [];
    let nextPageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer: { namespaces?: Namespace[]; nextPageToken?: string } = await get("namespaces", {
        query: { pageSize: PAGE_SIZE, nextPageToken },
        signal,
      });
      all.push(...(answer.namespaces ?? []));
      nextPageToken = answer.nextPageToken;
      if (!nextPageToken) break;
    }
    return all.filter((one) => one.namespaceInfo.name !== "temporal-system");
  },
});

export const namespaceQuery = (namespace: string) =>
  queryOptions({
    queryKey: ["namespace", namespace],
    staleTime: RARELY_MS,
    queryFn: ({ signal }) => get<Namespace>(path("namespaces", namespace), { signal }),
  });

export const searchAttributesQuery = (namespace: string) =>
  queryOptions({
    queryKey: ["search-attributes", namespace],
    staleTime: RARELY_MS,
    queryFn: ({ signal }) =>
      get<SearchAttributes>(within(namespace, "search-attributes"), { signal }),
  });

export interface SystemInfo {
  serverVersion?: string;
  capabilities?: Record<string, boolean>;
}

export const systemInfoQuery = queryOptions({
  queryKey: ["system-info"],
  staleTime: RARELY_MS,
  queryFn: ({ signal }) => get<SystemInfo>("system-info", { signal }),
});
