import { queryOptions } from "@tanstack/react-query";
import { get } from "../api/http";
import type { Payload } from "../api/types";

export interface Endpoint {
  id: string;
  version?: string;
  createdTime?: string;
  spec?: {
    name?: string;
    description?: Payload;
    target?: {
      worker?: { namespace?: string; taskQueue?: string };
      external?: { url?: string };
    };
  };
}

export const endpointsQuery = queryOptions({
  queryKey: ["nexus-endpoints"],
  queryFn: ({ signal }) =>
    get<{ endpoints?: Endpoint[] }>("nexus/endpoints", { query: { pageSize: 100 }, signal }),
});
