import { useCallback, useState } from "react";
import { download } from "../../kit/clipboard";
import { Icon } from "../../kit/icons";
import { ErrorState, Skeleton } from "../../kit/states";
import type { WorkflowSearch } from "../../router";
import { formatCount } from "../../time/format";
import { EventPanel } from "../history/EventPanel";
import { HistoryList } from "../history/HistoryList";
import { JsonHistory } from "../history/JsonHistory";
import type { HistorySnapshot, HistoryStore } from "../history/store";
import { Timeline } from "../timeline/Timeline";

const VIEWS = [
  { id: "compact", label: "Compact" },
  { id: "all", label: "All events" },
  { id: "json", label: "JSON" },
] as const;

/** The history in its forms, beside the details of what is selected. */
export function HistoryTab({
  namespace,
  name,
  store,
  snapshot,
  form,
  search,
  onSearch,
}: {
  namespace: string;
  /** For the file of a download. */
  name: string;
  store: HistoryStore;
  snapshot: HistorySnapshot;
  form: "timeline" | "list";
  search: WorkflowSearch;
  onSearch: (change: Partial<WorkflowSearch>) => void;
}) {
  const [tasks, setTasks] = useState(false);
  const { event: selected, find = "", view = "compact" } = search;
  const onSelect = useCallback(
    (id: number | undefined): void => onSearch({ event: id }),
    [onSearch],
  );
  if (snapshot.count === 0) {
    return snapshot.error === undefined ? (
      <Skeleton lines={8} />
    ) : (
      <ErrorState error={snapshot.error} />
    );
  }
  return (
    <div className={selected === undefined ? "history-tab" : "history-tab with-panel"}>
      <div className="history-main">
        <div className="history-tools">
          {form === "list" && (
            <fieldset className="button-group">
              <legend className="visually-hidden">Form of the history</legend>
              {VIEWS.map(({ id, label }) => (
                <button
                  key={id}
                  type="button"
                  className="button"
                  aria-pressed={view === id}
                  onClick={() => onSearch({ view: id })}
                >
                  {label}
                </button>
              ))}
            </fieldset>
          )}
          <input
            className="input find"
            type="search"
            aria-label="Find in the history"
            placeholder="Find in the history"
            value={find}
            onChange={(event) => onSearch({ find: event.target.value || undefined })}
          />
          {form === "timeline" && (
            <label className="check">
              <input
                type="checkbox"
                checked={tasks}
                onChange={(event) => setTasks(event.target.checked)}
              />{" "}
              Workflow tasks
            </label>
          )}
          <span className="faint" role="status" data-testid="history-count">
            {formatCount(snapshot.count)} events
            {!snapshot.complete && snapshot.error === undefined && " so far…"}
            {snapshot.complete && !snapshot.closed && " · live"}
            {snapshot.error !== undefined && " · the server does not answer, trying again"}
          </span>
          <span className="spacer" />
          <button
            type="button"
            className="button quiet"
            onClick={() =>
              download(`${name}.json`, JSON.stringify({ events: store.events }, null, 2))
            }
            title="In the form that replayers and this program read"
          >
            <Icon name="download" /> Download
          </button>
        </div>
        {form === "timeline" ? (
          <Timeline
            store={store}
            snapshot={snapshot}
            selected={selected}
            onSelect={onSelect}
            find={find}
            tasks={tasks}
          />
        ) : view === "json" ? (
          <JsonHistory store={store} snapshot={snapshot} />
        ) : (
          <HistoryList
            store={store}
            snapshot={snapshot}
            compact={view === "compact"}
            find={find}
            selected={selected}
            onSelect={onSelect}
          />
        )}
      </div>
      {selected !== undefined && (
        <EventPanel namespace={namespace} store={store} selected={selected} onSelect={onSelect} />
      )}
    </div>
  );
}
