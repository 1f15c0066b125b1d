import {
  hashKey,
  type QueryKey,
  queryOptions,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  NoStream,
  pause,
  type ServerEvent,
  serverEvents,
  streamsMayExist,
  untilVisible,
  whileVisible,
} from "./events";
import { get, type QueryValue } from "./http";

const RETRY_MS = 10_000;

/**
 * Hears a stream as long as somebody looks at the page. `take` says whether an event is one of what
 * was asked for: from then on, and until the stream ends, nobody else has to be asked.
 */
export async function listen(
  path: string,
  query: Record<string, QueryValue>,
  signal: AbortSignal,
  setTold: (told: boolean) => void,
  take: (event: ServerEvent) => boolean,
): Promise<void> {
  while (!signal.aborted && streamsMayExist()) {
    await untilVisible(signal);
    const seen = whileVisible(signal);
    try {
      for await (const event of serverEvents(path, query, seen)) {
        if (event.name === "failure") break;
        if (!signal.aborted && take(event)) setTold(true);
      }
    } catch (error) {
      if (!seen.aborted && !(error instanceof NoStream)) console.debug(error);
    }
    if (!signal.aborted) setTold(false);
    if (!seen.aborted) await pause(RETRY_MS, signal);
  }
}

interface Watched<T> {
  queryKey: QueryKey;
  /** Below `/api/v1/`, and below `/ui-api/` with `/stream` after it. */
  path: string;
  query?: Record<string, QueryValue>;
  /** How often a server is asked that does not tell; false when nothing changes any more. */
  refresh: number | ((data: T | undefined) => number | false);
}

/** A question whose answer the server may tell again whenever it has changed. */
export function watched<T>({ queryKey, path, query = {}, refresh }: Watched<T>) {
  const interval = (data: T | undefined): number | false =>
    typeof refresh === "number" ? refresh : refresh(data);
  const options = queryOptions({
    queryKey,
    queryFn: ({ signal }) => get<T>(path, { query, signal }),
    refetchInterval: (state) => interval(state.state.data as T | undefined),
  });
  return { ...options, meta: { path, query, interval } };
}

/** The answer to such a question, as the server tells it; one that tells nothing is asked again. */
export function useWatched<T>(question: ReturnType<typeof watched<T>>) {
  const client = useQueryClient();
  const [told, setTold] = useState(false);
  const { queryKey, meta } = question;
  const result = useQuery(told ? { ...question, refetchInterval: false } : question);
  const changes = meta.interval(result.data) !== false;
  const key = hashKey(queryKey);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the question
  useEffect(() => {
    if (!changes) return;
    const ended = new AbortController();
    void listen(`${meta.path}/stream`, meta.query, ended.signal, setTold, ({ name, data }) => {
      if (name !== "answer") return false;
      const answer = JSON.parse(data) as T;
      // An answer that is under way may be older.
      void client
        .cancelQueries({ queryKey, exact: true })
        .then(() => !ended.signal.aborted && client.setQueryData(queryKey, answer));
      return true;
    });
    return () => {
      ended.abort();
      setTold(false);
    };
  }, [client, key, changes]);
  return result;
}
