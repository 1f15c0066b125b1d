import { useNavigate } from "@tanstack/react-router";
import { useState, useSyncExternalStore } from "react";
import type { HistoryEvent } from "../api/types";
import { EmptyState } from "../kit/states";
import { importRoute, type WorkflowSearch } from "../router";
import { useNamespace } from "../shell/useNamespace";
import { attributesOf, textAt } from "../workflows/history/events";
import { HistoryStore } from "../workflows/history/store";
import { HistoryTab } from "../workflows/page/HistoryTab";
import { InputAndResult } from "../workflows/page/InputAndResult";
import { readHistory } from "./read";
import "../styles/workflow.css";

/** Shows a history that was exported, from a file of this machine. It is sent nowhere. */
export function OpenHistoryPage() {
  const [opened, setOpened] = useState<{ name: string; store: HistoryStore } | undefined>();
  const [error, setError] = useState<string | undefined>();
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    try {
      const events: HistoryEvent[] = readHistory(await file.text());
      const store = new HistoryStore();
      store.add(events);
      store.finish();
      setOpened({ name: file.name, store });
      setError(undefined);
    } catch (thrown) {
      setError((thrown as Error).message);
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button does the same
    <div
      className="page workflow-page"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void open(event.dataTransfer.files[0]);
      }}
    >
      <header className="page-header">
        <h1>{opened ? opened.name : "Open a history"}</h1>
        <div className="page-actions">
          <label className="button">
            {opened ? "Open another file" : "Choose a file"}
            <input
              type="file"
              accept=".json,application/json"
              className="visually-hidden"
              onChange={(event) => void open(event.target.files?.[0])}
            />
          </label>
        </div>
      </header>
      {error !== undefined && (
        <p className="note bad" role="alert">
          {error}
        </p>
      )}
      {opened ? (
        <Opened name={opened.name} store={opened.store} />
      ) : (
        <EmptyState icon="download" title="Look at an exported history">
          <p>
            Drop a file here, as <code>temporal workflow show -w ID -o json</code> or the button
            Download of a workflow makes it. It stays in this browser.
          </p>
        </EmptyState>
      )}
    </div>
  );
}

function Opened({ name, store }: { name: string; store: HistoryStore }) {
  const namespace = useNamespace();
  const search = importRoute.useSearch();
  const navigate = useNavigate({ from: importRoute.fullPath });
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot);
  const onSearch = (change: Partial<WorkflowSearch>): void =>
    void navigate({
      search: (before) => ({ ...before, ...change }),
      replace: true,
      resetScroll: false,
    });
  const first = store.events[0];
  const { tab = "timeline" } = search;
  return (
    <>
      <p>
        <strong>{first && textAt(attributesOf(first), "workflowType", "name")}</strong>{" "}
        <span className="mono faint">{first && textAt(attributesOf(first), "workflowId")}</span>
      </p>
      <InputAndResult
        namespace={namespace}
        store={store}
        snapshot={snapshot}
        open={!snapshot.closed}
      />
      <div className="tabs">
        {(["timeline", "history"] as const).map((id) => (
          <button
            key={id}
            type="button"
            className="tab"
            aria-pressed={tab === id}
            onClick={() => onSearch({ tab: id })}
          >
            {id === "timeline" ? "Timeline" : "History"}
          </button>
        ))}
      </div>
      <HistoryTab
        namespace={namespace}
        name={name.replace(/\.json$/, "")}
        store={store}
        snapshot={snapshot}
        form={tab === "history" ? "list" : "timeline"}
        search={search}
        onSearch={onSearch}
      />
    </>
  );
}
