import { useState } from "react";
import type { HistoryEvent } from "../../api/types";
import { CopyButton } from "../../kit/CopyButton";
import { Icon } from "../../kit/icons";
import { stringFrom } from "../../payloads/decode";
import { JsonText } from "../../payloads/JsonText";
import { MarkdownLine } from "../../payloads/Markdown";
import { useDecoded } from "../../payloads/useDecoded";
import { Time } from "../../time/Time";
import { Attributes } from "./Attributes";
import { attributesOf, eventNumber, eventTone, eventTypeWords } from "./events";
import { KIND_LABELS } from "./groups";
import type { HistoryStore } from "./store";

/** More events of a group than these are opened one by one. */
const EVENTS_SHOWN_MAX = 30;

/** The details of an event and of those that belong to it. */
export function EventPanel({
  namespace,
  store,
  selected,
  onSelect,
}: {
  namespace: string;
  store: HistoryStore;
  selected: number;
  onSelect: (id: number | undefined) => void;
}) {
  const group = store.grouper.groupOf(selected);
  const ids = (group?.events ?? [selected]).slice(-EVENTS_SHOWN_MAX);
  return (
    <aside className="event-panel" aria-label={`Event ${selected}`}>
      <header className="event-panel-header">
        <div>
          <p className="faint">{group ? KIND_LABELS[group.kind] : "Event"}</p>
          <h2>{group?.name ?? `Event ${selected}`}</h2>
          {group?.summary && <Summary namespace={namespace} payload={group.summary} />}
        </div>
        <button
          type="button"
          className="icon-button"
          aria-label="Close the details"
          onClick={() => onSelect(undefined)}
        >
          <Icon name="cross" />
        </button>
      </header>
      {ids.map((id) => {
        const event = store.event(id);
        return (
          event && (
            <EventCard
              key={id}
              namespace={namespace}
              event={event}
              open={id === selected || ids.length <= 4}
              onSelect={onSelect}
            />
          )
        );
      })}
    </aside>
  );
}

function Summary({
  namespace,
  payload,
}: {
  namespace: string;
  payload: NonNullable<Parameters<typeof stringFrom>[0]>;
}) {
  const { payload: readable } = useDecoded(namespace, payload);
  const text = stringFrom(readable);
  return text === undefined ? null : (
    <p>
      <MarkdownLine text={text} />
    </p>
  );
}

function EventCard({
  namespace,
  event,
  open,
  onSelect,
}: {
  namespace: string;
  event: HistoryEvent;
  open: boolean;
  onSelect: (id: number) => void;
}) {
  const [json, setJson] = useState(false);
  return (
    <details className="event-card" open={open}>
      <summary>
        <span className={`event-dot ${eventTone(event)}`} aria-hidden="true" />
        <span className="faint">{eventNumber(event)}</span>
        <strong>{eventTypeWords(event)}</strong>
        <span className="spacer" />
        <Time value={event.eventTime} />
      </summary>
      <div className="event-card-tools">
        <button
          type="button"
          className="link-button"
          aria-pressed={json}
          onClick={() => setJson(!json)}
        >
          {json ? "Fields" : "JSON"}
        </button>
        <CopyButton text={JSON.stringify(event, null, 2)} label="Copy the event as JSON" />
      </div>
      {json ? (
        <JsonText text={JSON.stringify(event)} />
      ) : (
        <Attributes namespace={namespace} value={attributesOf(event)} onEvent={onSelect} />
      )}
    </details>
  );
}
