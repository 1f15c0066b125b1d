import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { JsonText } from "../../payloads/JsonText";
import type { HistorySnapshot, HistoryStore } from "./store";

const HEIGHT_GUESSED = 320;

/** The events as JSON, of which only those in sight exist. */
export function JsonHistory({
  store,
  snapshot,
}: {
  store: HistoryStore;
  snapshot: HistorySnapshot;
}) {
  const frame = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: snapshot.count,
    getScrollElement: () => frame.current,
    estimateSize: () => HEIGHT_GUESSED,
    overscan: 2,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section ref={frame} className="json-history" tabIndex={0} aria-label="Events as JSON">
      <div className="history-space" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={rows.measureElement}
            data-index={item.index}
            className="json-event"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <JsonText text={JSON.stringify(store.events[item.index])} />
          </div>
        ))}
      </div>
    </section>
  );
}
