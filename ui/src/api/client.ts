import { QueryClient } from "@tanstack/react-query";
import { sessionStore } from "../session/session";
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

// What one user has seen is not shown to another, and what failed without a session is asked again.
let last = sessionStore.get();
let shownTo: string | undefined;
sessionStore.subscribe(() => {
  const { session, ended } = sessionStore.get();
  const user = session?.user && `${session.user.name}\n${session.user.email ?? ""}`;
  if (user !== undefined) {
    if (shownTo !== undefined && shownTo !== user) void queryClient.resetQueries();
    else if (last.ended && !ended) void queryClient.invalidateQueries();
    shownTo = user;
  }
  last = { session, ended };
});
