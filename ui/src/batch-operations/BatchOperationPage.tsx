import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { useWatched } from "../api/watch";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { FormDialog } from "../kit/FormDialog";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { batchOperationRoute } from "../router";
import { formatCount } from "../time/format";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { stopBatch } from "./api";
import { batchOperationQuery } from "./queries";

const typeName = (type: string | undefined): string => {
  const bare = (type ?? "").replace("BATCH_OPERATION_TYPE_", "").toLowerCase().replaceAll("_", " ");
  return bare.charAt(0).toUpperCase() + bare.slice(1);
};

export function BatchOperationPage() {
  const { namespace, jobId } = batchOperationRoute.useParams();
  const operation = useWatched(batchOperationQuery(namespace, jobId));
  const noStop = useMay()("StopBatchOperation");
  const [stopping, setStopping] = useState(false);
  const [reason, setReason] = useState("");
  return (
    <div className="page narrow">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/batch-operations" params={{ namespace }}>
          Batch operations
        </Link>
      </nav>
      <Loaded query={operation}>
        {(detail) => {
          const total = Number(detail.totalOperationCount ?? 0);
          const complete = Number(detail.completeOperationCount ?? 0);
          const failed = Number(detail.failureOperationCount ?? 0);
          const running = detail.state === "BATCH_OPERATION_STATE_RUNNING";
          return (
            <>
              <header className="page-header">
                <Status status={detail.state} />
                <h1>{typeName(detail.operationType)}</h1>
                <span className="mono faint">{jobId}</span>
                <div className="page-actions">
                  <CommandsMenu
                    commands={{ cli: cli("batch", "describe", "-n", namespace, "--job-id", jobId) }}
                  />
                  {running && (
                    <ActionButton
                      refused={noStop}
                      className="button danger"
                      onClick={() => setStopping(true)}
                    >
                      Stop…
                    </ActionButton>
                  )}
                </div>
              </header>
              <section className="card">
                <label className="progress-label" htmlFor="batch-progress">
                  {formatCount(complete + failed)} of {formatCount(total)} done
                  {failed > 0 && <span className="bad">, {formatCount(failed)} failed</span>}
                </label>
                <progress id="batch-progress" max={Math.max(total, 1)} value={complete + failed} />
                <dl className="facts">
                  <div>
                    <dt>Completed</dt>
                    <dd>{formatCount(complete)}</dd>
                  </div>
                  <div>
                    <dt>Failed</dt>
                    <dd>{formatCount(failed)}</dd>
                  </div>
                  <div>
                    <dt>Started</dt>
                    <dd>
                      <Time value={detail.startTime} />
                    </dd>
                  </div>
                  <div>
                    <dt>Took</dt>
                    <dd>
                      <Elapsed from={detail.startTime} to={detail.closeTime} />
                    </dd>
                  </div>
                  <div>
                    <dt>By</dt>
                    <dd>{detail.identity || "–"}</dd>
                  </div>
                  <div>
                    <dt>Reason</dt>
                    <dd className="attribute-text">{detail.reason || "–"}</dd>
                  </div>
                </dl>
              </section>
            </>
          );
        }}
      </Loaded>
      {stopping && (
        <FormDialog
          title="Stop the batch operation"
          submit="Stop"
          danger
          ready={reason.trim() !== ""}
          run={() => stopBatch(namespace, jobId, reason)}
          done={() => toast({ kind: "good", title: "The batch operation was stopped" })}
          onClose={() => setStopping(false)}
        >
          <p>What is done already stays done.</p>
          <TextField label="Reason" required value={reason} onChange={setReason} />
        </FormDialog>
      )}
    </div>
  );
}
