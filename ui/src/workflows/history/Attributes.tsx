import type { Failure, Json, JsonObject, Payload } from "../../api/types";
import { Code } from "../../kit/Code";
import { payloadsIn } from "../../payloads/decode";
import { PayloadList } from "../../payloads/PayloadView";
import { durationMillis, formatDuration, millis } from "../../time/format";
import { Time } from "../../time/Time";
import { FailureView } from "../page/FailureView";

const DEPTH_MAX = 12;

/** `startToCloseTimeout` as `Start to close timeout`. */
function label(key: string): string {
  const words = key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isFailure(key: string, value: Json | undefined): value is JsonObject {
  return (
    /failure$/i.test(key) &&
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    ("message" in value || "cause" in value || "stackTrace" in value)
  );
}

/** The attributes of a message, each with what it means. */
export function Attributes({
  namespace,
  value,
  depth = 0,
  onEvent,
}: {
  namespace: string;
  value: JsonObject;
  depth?: number;
  /** Opens the event that an attribute names. */
  onEvent?: ((id: number) => void) | undefined;
}) {
  const entries = Object.entries(value).filter(
    ([, one]) =>
      one !== undefined &&
      one !== null &&
      one !== "" &&
      !(typeof one === "object" && !Array.isArray(one) && Object.keys(one).length === 0),
  );
  if (entries.length === 0) return <p className="faint">nothing more</p>;
  return (
    <dl className="attributes">
      {entries.map(([key, one]) => (
        <div key={key}>
          <dt>{label(key)}</dt>
          <dd>
            <Value namespace={namespace} name={key} value={one} depth={depth} onEvent={onEvent} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({
  namespace,
  name,
  value,
  depth,
  onEvent,
}: {
  namespace: string;
  name: string;
  value: Json | undefined;
  depth: number;
  onEvent: ((id: number) => void) | undefined;
}) {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "string" || typeof value === "number") {
    const text = String(value);
    if (/EventId$/.test(name) && Number(text) > 0 && onEvent) {
      return (
        <button type="button" className="link-button" onClick={() => onEvent(Number(text))}>
          event {text}
        </button>
      );
    }
    if (/^\d{4}-\d\d-\d\dT/.test(text) && millis(text) !== undefined) return <Time value={text} />;
    const duration = durationMillis(text);
    if (duration !== undefined && /timeout|interval|backoff|delay|ttl|window/i.test(name)) {
      return <>{duration === 0 ? "none" : formatDuration(duration)}</>;
    }
    if (/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(text)) return <span className="mono">{text}</span>;
    return <span className="attribute-text">{text}</span>;
  }
  const payloads: Payload[] | undefined = payloadsIn(value);
  if (payloads) return <PayloadList namespace={namespace} payloads={payloads} />;
  if (isFailure(name, value)) {
    return <FailureView namespace={namespace} failure={value as unknown as Failure} />;
  }
  if (depth >= DEPTH_MAX) return <Code>{JSON.stringify(value, null, 2)}</Code>;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="faint">none</span>;
    if (value.every((one) => typeof one !== "object")) return <>{value.join(", ")}</>;
    return (
      <ol className="attribute-list">
        {value.map((one, at) => (
          <li key={at}>
            <Value
              namespace={namespace}
              name={name}
              value={one}
              depth={depth + 1}
              onEvent={onEvent}
            />
          </li>
        ))}
      </ol>
    );
  }
  const object: JsonObject = value;
  const keys = Object.keys(object);
  if (keys.length === 1 && keys[0] === "name") return <>{String(object.name)}</>;
  return <Attributes namespace={namespace} value={object} depth={depth + 1} onEvent={onEvent} />;
}
