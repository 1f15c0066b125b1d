import type { Failure } from "../../api/types";
import { Icon } from "../../kit/icons";
import { Status } from "../../kit/Status";
import { EmptyState } from "../../kit/states";
import { payloadsIn } from "../../payloads/decode";
import { PayloadList } from "../../payloads/PayloadView";
import { Time } from "../../time/Time";
import { attributesOf, textAt } from "../history/events";
import type { HistorySnapshot, HistoryStore } from "../history/store";
import { FailureView } from "./FailureView";

const UPDATES_SHOWN_MAX = 200;

/** The updates that the workflow has accepted, the newest first. */
export function UpdatesTab({
  namespace,
  store,
  snapshot,
  onSend,
}: {
  namespace: string;
  store: HistoryStore;
  snapshot: HistorySnapshot;
  onSend: (() => void) | undefined;
}) {
  const updates = store.grouper.groups.filter((group) => group.kind === "update").reverse();
  return (
    <div className="stack" data-version={snapshot.version}>
      {onSend && (
        <div className="row">
          <p className="faint">Rejected updates leave no trace in a history.</p>
          <span className="spacer" />
          <button type="button" className="button" onClick={onSend}>
            <Icon name="plus" /> Send update
          </button>
        </div>
      )}
      {updates.length === 0 && <EmptyState icon="signal" title="No update was accepted" />}
      {updates.slice(0, UPDATES_SHOWN_MAX).map((group) => {
        const accepted = store.event(group.events[0] ?? 0);
        const completed =
          group.end === undefined ? undefined : store.event(group.events.at(-1) ?? 0);
        const request =
          accepted && (attributesOf(accepted).acceptedRequest as Record<string, unknown>);
        const input = request?.input as { args?: unknown } | undefined;
        const outcome = completed && (attributesOf(completed).outcome as Record<string, unknown>);
        return (
          <article key={group.id} className="card">
            <header className="card-header">
              <h3>{group.name}</h3>
              <Status
                status={
                  group.outcome === "open"
                    ? "Running"
                    : group.outcome === "failed"
                      ? "Failed"
                      : "Completed"
                }
              />
              <span className="faint mono">
                {accepted && textAt(attributesOf(accepted), "acceptedRequest", "meta", "updateId")}
              </span>
              <span className="spacer" />
              <Time value={accepted?.eventTime} />
            </header>
            <div className="panes">
              <section className="pane">
                <h4>Input</h4>
                <PayloadList
                  namespace={namespace}
                  payloads={payloadsIn(input?.args)}
                  empty="no input"
                />
              </section>
              <section className="pane">
                <h4>Outcome</h4>
                {outcome?.failure ? (
                  <FailureView namespace={namespace} failure={outcome.failure as Failure} />
                ) : (
                  <PayloadList
                    namespace={namespace}
                    payloads={payloadsIn(outcome?.success)}
                    empty={completed ? "no result" : "not yet"}
                  />
                )}
              </section>
            </div>
          </article>
        );
      })}
    </div>
  );
}
