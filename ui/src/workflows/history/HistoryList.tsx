import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef } from "react";
import { Status } from "../../kit/Status";
import { type TimeFormat, useSettings } from "../../settings/store";
import { formatDuration, formatTime, millis } from "../../time/format";
import { eventLine, eventNumber, eventTone, eventTypeWords } from "./events";
import { type EventGroup, isOfInterest, KIND_LABELS } from "./groups";
import type { HistorySnapshot, HistoryStore } from "./store";

const ROW_HEIGHT = 30;

/** One row of either list. */
interface Row {
  id: number;
  time: number | undefined;
  kind: string;
  tone: string;
  title: string;
  detail: string;
  duration: number | undefined;
  outcome: string | undefined;
}

function fromGroup(group: EventGroup): Row {
  return {
    id: group.id,
    time: group.start,
    kind: KIND_LABELS[group.kind],
    tone: "calm",
    title: group.name,
    detail: [group.attempt === undefined ? "" : `attempt ${group.attempt}`, group.failure ?? ""]
      .filter(Boolean)
      .join(" · "),
    duration:
      group.end === undefined || group.outcome === "instant" ? undefined : group.end - group.start,
    outcome: group.outcome === "instant" ? undefined : group.outcome,
  };
}

const OUTCOME_STATUS: Record<string, string> = {
  open: "Running",
  completed: "Completed",
  failed: "Failed",
  "timed-out": "TimedOut",
  canceled: "Canceled",
  terminated: "Terminated",
};

/** What a row says; `place` is that of the group or the event. */
function rowOf(store: HistoryStore, compact: boolean, place: number | undefined): Row | undefined {
  if (place === undefined) return undefined;
  if (compact) {
    const group = store.grouper.groups[place];
    return group && fromGroup(group);
  }
  const event = store.events[place];
  if (!event) return undefined;
  const time = millis(event.eventTime);
  const before = millis(store.events[place - 1]?.eventTime);
  return {
    id: eventNumber(event),
    time,
    kind: "",
    tone: eventTone(event),
    title: eventTypeWords(event),
    detail: eventLine(event),
    duration: time === undefined || before === undefined ? undefined : Math.max(0, time - before),
    outcome: undefined,
  };
}

/** A row that is made anew only when what it shows is another: scrolling makes a few at a time. */
const HistoryRow = memo(function HistoryRow({
  store,
  compact,
  place,
  at,
  top,
  times,
  selected,
  onSelect,
}: {
  store: HistoryStore;
  /** Of the store; its groups change with it. */
  version: number;
  compact: boolean;
  place: number | undefined;
  at: number;
  top: number;
  times: TimeFormat;
  selected: boolean;
  onSelect: (id: number | undefined) => void;
}) {
  const row = rowOf(store, compact, place);
  if (!row) return null;
  const begun = store.grouper.groups[0]?.start ?? row.time ?? 0;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table's rows cannot be placed one by one
    // biome-ignore lint/a11y/useKeyWithClickEvents: the frame has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the frame has the focus
    <div
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected}
      className="history-row"
      data-event-id={row.id}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(selected ? undefined : row.id)}
    >
      {/* biome-ignore-start lint/a11y/useSemanticElements: see above */}
      <span role="cell" className="faint">
        {row.id}
      </span>
      <span role="cell" className="faint nowrap">
        {row.time === undefined
          ? ""
          : times === "relative"
            ? `+${formatDuration(row.time - begun)}`
            : formatTime(row.time, times, row.time)}
      </span>
      <span role="cell" className="history-what">
        {row.outcome === undefined ? (
          <span className={`event-dot ${row.tone}`} aria-hidden="true" />
        ) : (
          <Status status={OUTCOME_STATUS[row.outcome]} />
        )}
        {row.kind !== "" && <span className="faint">{row.kind}</span>}
        <b>{row.title}</b>
      </span>
      <span role="cell" className="history-detail">
        {row.detail}
      </span>
      <span role="cell" className="faint nowrap">
        {row.duration === undefined ? "" : formatDuration(row.duration)}
      </span>
      {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
    </div>
  );
});

/** The history as a list, of which only the rows in sight exist: of groups, or of all events. */
export function HistoryList({
  store,
  snapshot,
  compact,
  find,
  selected,
  onSelect,
}: {
  store: HistoryStore;
  snapshot: HistorySnapshot;
  compact: boolean;
  find: string;
  selected: number | undefined;
  onSelect: (id: number | undefined) => void;
}) {
  const { times } = useSettings();
  const frame = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the store changes with its version
  const ids = useMemo(() => {
    const sought = find.toLowerCase();
    if (compact) {
      return store.grouper.groups
        .map((group, at) => ({ group, at }))
        .filter(
          ({ group }) =>
            isOfInterest(group) &&
            (sought === "" ||
              `${group.name} ${KIND_LABELS[group.kind]} ${group.failure ?? ""}`
                .toLowerCase()
                .includes(sought)),
        )
        .map(({ at }) => at);
    }
    const all = store.events.map((_, at) => at);
    return sought === ""
      ? all
      : all.filter((at) => {
          const event = store.events[at];
          return (
            event !== undefined &&
            `${eventTypeWords(event)} ${eventLine(event)}`.toLowerCase().includes(sought)
          );
        });
  }, [store, snapshot.version, compact, find]);

  const rowAt = (at: number): Row | undefined => rowOf(store, compact, ids[at]);

  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 6,
  });

  const selectedGroup = selected === undefined ? undefined : store.grouper.groupOf(selected)?.id;
  const selectedAt = useMemo(() => {
    if (selected === undefined) return -1;
    return ids.findIndex((index) =>
      compact
        ? store.grouper.groups[index]?.id === selectedGroup
        : Number(store.events[index]?.eventId) === selected,
    );
  }, [ids, compact, store, selected, selectedGroup]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another selection scrolls
  useEffect(() => {
    if (selectedAt !== -1) rows.scrollToIndex(selectedAt, { align: "auto" });
  }, [selectedAt]);

  const choose = (at: number): void => {
    const row = rowAt(Math.max(0, Math.min(ids.length - 1, at)));
    if (row) onSelect(row.id);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table's rows cannot be placed one by one
    <div
      className="history-list"
      role="table"
      aria-label={compact ? "Compact history" : "All events"}
      aria-rowcount={ids.length + 1}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the row holds headings only */}
      <div className="history-row head" role="row" aria-rowindex={1}>
        {/* biome-ignore-start lint/a11y/useSemanticElements: see above */}
        {/* biome-ignore-start lint/a11y/useFocusableInteractive: headings have nothing to do */}
        <span role="columnheader">Id</span>
        <span role="columnheader">{times === "relative" ? "After" : "Time"}</span>
        <span role="columnheader">{compact ? "What" : "Type"}</span>
        <span role="columnheader">Detail</span>
        <span role="columnheader">{compact ? "Took" : "Since last"}</span>
        {/* biome-ignore-end lint/a11y/useFocusableInteractive: see above */}
        {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div
        ref={frame}
        role="rowgroup"
        className="history-frame"
        data-testid="history-list"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has keys of its own
        tabIndex={0}
        onKeyDown={(event) => {
          const page = Math.floor((frame.current?.clientHeight ?? 300) / ROW_HEIGHT) - 1;
          const to: Record<string, number> = {
            ArrowDown: selectedAt + 1,
            j: selectedAt + 1,
            ArrowUp: selectedAt - 1,
            k: selectedAt - 1,
            PageDown: selectedAt + page,
            PageUp: selectedAt - page,
            Home: 0,
            End: ids.length - 1,
          };
          const next = to[event.key];
          if (next !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            choose(next);
          } else if (event.key === "Escape") onSelect(undefined);
        }}
      >
        <div className="history-space" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => (
            <HistoryRow
              key={item.key}
              store={store}
              version={snapshot.version}
              compact={compact}
              place={ids[item.index]}
              at={item.index}
              top={item.start}
              times={times}
              selected={item.index === selectedAt}
              onSelect={onSelect}
            />
          ))}
        </div>
      </div>
      {ids.length === 0 && snapshot.complete && (
        <p className="faint pad">No event has these words.</p>
      )}
    </div>
  );
}
