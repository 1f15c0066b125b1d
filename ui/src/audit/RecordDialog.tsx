import { CopyButton } from "../kit/CopyButton";
import { Dialog } from "../kit/Dialog";
import { Time } from "../time/Time";
import { DecisionTag } from "./AuditPage";
import type { AuditRecord } from "./queries";

/** All that a record says. */
export function RecordDialog({ record, onClose }: { record: AuditRecord; onClose: () => void }) {
  const { seq, time, kind, principal, target, decision, ...rest } = record;
  const others = Object.entries(rest).filter(
    (entry): entry is [string, string | number | boolean] => typeof entry[1] !== "object",
  );
  return (
    <Dialog title={`Record ${seq}`} onClose={onClose} wide>
      <div className="dialog-body">
        <dl className="attributes">
          <div>
            <dt>time</dt>
            <dd>
              <Time value={time} /> <span className="mono faint">{time}</span>
            </dd>
          </div>
          <div>
            <dt>kind</dt>
            <dd>{kind}</dd>
          </div>
          {principal && (
            <div>
              <dt>principal</dt>
              <dd className="mono">
                {principal.kind}
                {principal.name !== undefined && `:${principal.name}`}
              </dd>
            </div>
          )}
          {decision !== undefined && (
            <div>
              <dt>decision</dt>
              <dd>
                <DecisionTag decision={decision} />
              </dd>
            </div>
          )}
          {Object.entries(target ?? {}).map(([what, name]) => (
            <div key={`target ${what}`}>
              <dt>{what.replaceAll("_", " ")}</dt>
              <dd className="mono">{name}</dd>
            </div>
          ))}
          {others.map(([what, value]) => (
            <div key={what}>
              <dt>{what.replaceAll("_", " ")}</dt>
              <dd className="mono">{String(value)}</dd>
            </div>
          ))}
        </dl>
        <p className="faint">
          <CopyButton text={JSON.stringify(record)} label="Copy the record as JSON" /> Whether the
          log is as it was written says <code>longtide audit verify</code>.
        </p>
      </div>
    </Dialog>
  );
}
