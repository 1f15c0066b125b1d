import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  NoStream,
  pause,
  serverEvents,
  streamsMayExist,
  untilVisible,
  whileVisible,
} from "../../api/events";
import { within } from "../../api/http";
import { PAGE_SIZE } from "./queries";

const RETRY_MS = 10_000;

/** Hears from the server when the first page of a list changes, and loads it again then. False while
 * nobody tells, and the server has to be asked. */
export function useListChanges(namespace: string, query: string, enabled: boolean): boolean {
  const client = useQueryClient();
  const [told, setTold] = useState(false);
  useEffect(() => {
    if (!enabled) return;
    const ended = new AbortController();
    void listen(namespace, query, ended.signal, setTold, () => {
      void client.invalidateQueries({ queryKey: ["workflows", namespace, query] });
      void client.invalidateQueries({ queryKey: ["workflow-counts", namespace] });
    });
    return () => {
      ended.abort();
      setTold(false);
    };
  }, [client, namespace, query, enabled]);
  return told;
}

async function listen(
  namespace: string,
  query: string,
  signal: AbortSignal,
  setTold: (told: boolean) => void,
  changed: () => void,
): Promise<void> {
  const path = within(namespace, "workflows", "stream");
  while (!signal.aborted && streamsMayExist()) {
    await untilVisible(signal);
    const seen = whileVisible(signal);
    try {
      for await (const { name } of serverEvents(path, { query, pageSize: PAGE_SIZE }, seen)) {
        if (name === "failure") break;
        if (name !== "rows" || signal.aborted) continue;
        setTold(true);
        // The first ones too: the list may have changed since it was loaded.
        changed();
      }
    } catch (error) {
      if (!seen.aborted && !(error instanceof NoStream)) console.debug(error);
    }
    if (!signal.aborted) setTold(false);
    if (!seen.aborted) await pause(RETRY_MS, signal);
  }
}
