import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { IDENTITY, post, within } from "../api/http";
import type { JsonObject } from "../api/types";
import { Field } from "../kit/Field";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { toast } from "../kit/toasts";
import { PayloadList } from "../payloads/PayloadView";
import { activityRoute } from "../router";
import { newId } from "../workflows/actions/api";
import { FormDialog } from "../workflows/actions/Dialogs";
import { Attributes } from "../workflows/history/Attributes";
import { FailureView } from "../workflows/page/FailureView";
import { activityQuery } from "./queries";
import "../styles/workflow.css";

/** One standalone activity. */
export function ActivityPage() {
  const { namespace, activityId, runId } = activityRoute.useParams();
  const activity = useQuery(activityQuery(namespace, activityId, runId));
  const [verb, setVerb] = useState<"cancel" | "terminate" | undefined>();
  const [reason, setReason] = useState("");
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/activities" params={{ namespace }} search={{}}>
          Standalone activities
        </Link>
      </nav>
      <Loaded query={activity}>
        {({ info, input, outcome }) => {
          const { lastFailure, heartbeatDetails, ...rest } = info ?? { activityId, runId };
          return (
            <>
              <header className="page-header">
                <Status status={info?.status} />
                <h1 className="mono">{activityId}</h1>
                <div className="page-actions">
                  {!info?.closeTime && (
                    <>
                      <button type="button" className="button" onClick={() => setVerb("cancel")}>
                        Cancel…
                      </button>
                      <button
                        type="button"
                        className="button danger"
                        onClick={() => setVerb("terminate")}
                      >
                        Terminate…
                      </button>
                    </>
                  )}
                </div>
              </header>
              <div className="panes">
                <section className="pane">
                  <h2>Input</h2>
                  <PayloadList namespace={namespace} payloads={input?.payloads} empty="no input" />
                </section>
                <section className="pane">
                  <h2>{outcome?.failure || lastFailure ? "Failure" : "Result"}</h2>
                  {outcome?.failure || lastFailure ? (
                    <FailureView
                      namespace={namespace}
                      failure={outcome?.failure ?? lastFailure ?? {}}
                    />
                  ) : (
                    <PayloadList
                      namespace={namespace}
                      payloads={outcome?.result?.payloads}
                      empty={info?.closeTime ? "no result" : "not yet"}
                    />
                  )}
                </section>
              </div>
              <section className="card">
                <h2>Settings and state</h2>
                <Attributes namespace={namespace} value={rest as JsonObject} />
              </section>
              {heartbeatDetails?.payloads && (
                <section className="card">
                  <h2>Details of the last heartbeat</h2>
                  <PayloadList namespace={namespace} payloads={heartbeatDetails.payloads} />
                </section>
              )}
            </>
          );
        }}
      </Loaded>
      {verb !== undefined && (
        <FormDialog
          title={`${verb === "cancel" ? "Cancel" : "Terminate"} ${activityId}`}
          submit={verb === "cancel" ? "Cancel activity" : "Terminate activity"}
          danger={verb === "terminate"}
          run={() =>
            post(within(namespace, "activities", activityId, verb), {
              runId,
              reason,
              identity: IDENTITY,
              requestId: newId(),
            })
          }
          done={() =>
            toast({
              kind: "good",
              title:
                verb === "cancel" ? "Cancellation was requested" : "The activity was terminated",
            })
          }
          onClose={() => setVerb(undefined)}
        >
          <Field label="Reason">
            {(props) => (
              <input
                {...props}
                className="input"
                value={reason}
                onChange={(event) => setReason(event.target.value)}
              />
            )}
          </Field>
        </FormDialog>
      )}
    </div>
  );
}
