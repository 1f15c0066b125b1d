import type { Failure } from "../../api/types";
import { payloadsIn } from "../../payloads/decode";
import { PayloadList } from "../../payloads/PayloadView";
import { attributesOf, textAt } from "../history/events";
import type { HistorySnapshot, HistoryStore } from "../history/store";
import { FailureView } from "./FailureView";

/** What went in and what came out. */
export function InputAndResult({
  namespace,
  store,
  snapshot,
  open,
}: {
  namespace: string;
  store: HistoryStore;
  snapshot: HistorySnapshot;
  open: boolean;
}) {
  const started = store.events[0];
  const closing = snapshot.closed ? store.events.at(-1) : undefined;
  const input = started ? payloadsIn(attributesOf(started).input) : undefined;
  const result = closing && attributesOf(closing);
  const failure = result?.failure as Failure | undefined;
  const resultPayloads = result && (payloadsIn(result.result) ?? payloadsIn(result.details));
  const next =
    result && closing?.eventType.endsWith("CONTINUED_AS_NEW")
      ? payloadsIn(result.input)
      : undefined;
  const reason = result && textAt(result, "reason");
  return (
    <div className="panes">
      <section className="pane" aria-labelledby="pane-input">
        <h2 id="pane-input">Input</h2>
        {started ? (
          <PayloadList namespace={namespace} payloads={input} empty="no input" />
        ) : (
          <p className="faint">…</p>
        )}
      </section>
      <section className="pane" aria-labelledby="pane-result">
        <h2 id="pane-result">{next ? "Input of the next run" : failure ? "Failure" : "Result"}</h2>
        {failure ? (
          <FailureView namespace={namespace} failure={failure} />
        ) : next ? (
          <PayloadList namespace={namespace} payloads={next} empty="no input" />
        ) : closing ? (
          <>
            {reason !== undefined && <p className="attribute-text">{reason}</p>}
            <PayloadList namespace={namespace} payloads={resultPayloads} empty="no result" />
          </>
        ) : (
          <p className="faint">{open ? "not yet: the workflow runs" : "…"}</p>
        )}
      </section>
    </div>
  );
}
