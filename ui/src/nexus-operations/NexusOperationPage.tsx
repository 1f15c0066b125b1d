import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { IDENTITY, post, within } from "../api/http";
import type { JsonObject } from "../api/types";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { ReasonDialog } from "../kit/ReasonDialog";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { PayloadList } from "../payloads/PayloadView";
import { nexusOperationRoute } from "../router";
import { newId } from "../workflows/actions/api";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";
import { Attributes } from "../workflows/history/Attributes";
import { FailureView } from "../workflows/page/FailureView";
import { nexusOperationQuery } from "./queries";
import "../styles/workflow.css";

const VERBS = {
  cancel: {
    text: "The handler is asked to stop. It may refuse, and it may clean up before it does.",
    submit: "Cancel operation",
    done: "Cancellation was requested",
  },
  terminate: {
    text: "The operation ends here at once. Its handler is not told.",
    submit: "Terminate operation",
    done: "The operation was terminated",
  },
} as const;

/** One standalone Nexus operation. */
export function NexusOperationPage() {
  const { namespace, operationId, runId } = nexusOperationRoute.useParams();
  const described = useQuery(nexusOperationQuery(namespace, operationId, runId));
  const may = useMay();
  const [verb, setVerb] = useState<keyof typeof VERBS | undefined>();
  const target = ["-n", namespace, "--operation-id", operationId, "--run-id", runId];
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/nexus-operations" params={{ namespace }} search={{}}>
          Standalone Nexus operations
        </Link>
      </nav>
      <Loaded query={described}>
        {({ info, input, result, failure }) => {
          const { lastAttemptFailure, ...rest } = info ?? { operationId, runId };
          const failed = failure ?? lastAttemptFailure;
          return (
            <>
              <header className="page-header">
                <Status status={info?.status} />
                <h1 className="mono">{operationId}</h1>
                <div className="page-actions">
                  <CommandsMenu
                    commands={{ cli: cli("nexus", "operation", "describe", ...target) }}
                  />
                  {!info?.closeTime && (
                    <>
                      <ActionButton
                        refused={may("RequestCancelNexusOperationExecution")}
                        onClick={() => setVerb("cancel")}
                      >
                        Cancel…
                      </ActionButton>
                      <ActionButton
                        refused={may("TerminateNexusOperationExecution")}
                        className="button danger"
                        onClick={() => setVerb("terminate")}
                      >
                        Terminate…
                      </ActionButton>
                    </>
                  )}
                </div>
              </header>
              <div className="panes">
                <section className="pane">
                  <h2>Input</h2>
                  <PayloadList namespace={namespace} payloads={input && [input]} empty="no input" />
                </section>
                <section className="pane">
                  <h2>{failed ? "Failure" : "Result"}</h2>
                  {failed ? (
                    <FailureView namespace={namespace} failure={failed} />
                  ) : (
                    <PayloadList
                      namespace={namespace}
                      payloads={result && [result]}
                      empty={info?.closeTime ? "no result" : "not yet"}
                    />
                  )}
                </section>
              </div>
              <section className="card">
                <h2>Settings and state</h2>
                <Attributes namespace={namespace} value={rest as JsonObject} />
              </section>
            </>
          );
        }}
      </Loaded>
      {verb !== undefined && (
        <ReasonDialog
          {...VERBS[verb]}
          title={`${verb === "cancel" ? "Cancel" : "Terminate"} ${operationId}`}
          danger={verb === "terminate"}
          cli={(reason) => cli("nexus", "operation", verb, ...target, ...flag("--reason", reason))}
          run={(reason) =>
            post(within(namespace, "nexus-operations", operationId, verb), {
              runId,
              reason,
              identity: IDENTITY,
              requestId: newId(),
            })
          }
          onClose={() => setVerb(undefined)}
        />
      )}
    </div>
  );
}
