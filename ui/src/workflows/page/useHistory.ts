import { useEffect, useMemo, useSyncExternalStore } from "react";
import { type HistorySnapshot, HistoryStore } from "../history/store";

/** The history of a run, which is followed while the page shows it. */
export function useHistory(
  namespace: string,
  workflowId: string,
  runId: string,
): { store: HistoryStore; snapshot: HistorySnapshot } {
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run has another history
  const store = useMemo(() => new HistoryStore(), [namespace, workflowId, runId]);
  useEffect(() => {
    const ended = new AbortController();
    void store.follow(namespace, workflowId, runId, ended.signal);
    return () => ended.abort();
  }, [store, namespace, workflowId, runId]);
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot);
  return { store, snapshot };
}
