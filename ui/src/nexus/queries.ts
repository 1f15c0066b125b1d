import type { Payload } from "../api/types";
import { watched } from "../api/watch";

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

const REFRESH_MS = 10_000;

export const endpointsQuery = watched<{ endpoints?: Endpoint[] }>({
  queryKey: ["nexus-endpoints"],
  path: "nexus/endpoints",
  query: { pageSize: 100 },
  refresh: REFRESH_MS,
});
