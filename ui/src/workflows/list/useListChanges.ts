import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { within } from "../../api/http";
import { listen } from "../../api/watch";
import { PAGE_SIZE } from "./queries";

/** Hears from the server when the first page of a list changes, and loads it again then. False while
 * nobody tells, and the server has to be asked. */
export function useListChanges(namespace: string, query: string, enabled: boolean): boolean {
  const client = useQueryClient();
  const [told, setTold] = useState(false);
  useEffect(() => {
    if (!enabled) return;
    const ended = new AbortController();
    const path = within(namespace, "workflows", "stream");
    void listen(path, { query, pageSize: PAGE_SIZE }, ended.signal, setTold, ({ name }) => {
      if (name !== "rows") return false;
      // The first ones too: the list may have changed since it was loaded.
      void client.invalidateQueries({ queryKey: ["workflows", namespace, query] });
      void client.invalidateQueries({ queryKey: ["workflow-counts", namespace] });
      return true;
    });
    return () => {
      ended.abort();
      setTold(false);
    };
  }, [client, namespace, query, enabled]);
  return told;
}
