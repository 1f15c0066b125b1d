import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./http";

const RETRIES_MAX = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => error instanceof ApiError && error.transient && count < RETRIES_MAX,
    },
    mutations: { retry: false },
  },
});
