import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { IDENTITY, post, within } from "../api/http";
import { useForbidden } from "../api/serverSettings";
import type { JsonObject } from "../api/types";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { ReasonDialog } from "../kit/ReasonDialog";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { PayloadList } from "../payloads/PayloadView";
import { activityRoute } from "../router";
import { newId } from "../workflows/actions/api";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";
import { Attributes } from "../workflows/history/Attributes";
import { FailureView } from "../workflows/page/FailureView";
import { activityQuery } from "./queries";
import "../styles/workflow.css";

const VERBS = {
  cancel: {
    text: "The worker is asked to stop with its next heartbeat. It may clean up before it does.",
    submit: "Cancel activity",
    done: "Cancellation was requested",
  },
  terminate: {
    text: "The activity ends at once. Its worker gets no chance to clean up.",
    submit: "Terminate activity",
    done: "The activity was terminated",
  },
} as const;

/** One standalone activity. */
export function ActivityPage() {
  const { namespace, activityId, runId } = activityRoute.useParams();
  const activity = useQuery(activityQuery(namespace, activityId, runId));
  const may = useMay();
  const [verb, setVerb] = useState<"cancel" | "terminate" | undefined>();
  const forbidden = useForbidden()("activity");
  const target = ["-n", namespace, "--activity-id", activityId, "--run-id", runId];
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
                  <CommandsMenu commands={{ cli: cli("activity", "describe", ...target) }} />
                  {!info?.closeTime && (
                    <>
                      <ActionButton
                        refused={forbidden ?? may("RequestCancelActivityExecution")}
                        onClick={() => setVerb("cancel")}
                      >
                        Cancel…
                      </ActionButton>
                      <ActionButton
                        refused={forbidden ?? may("TerminateActivityExecution")}
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
        <ReasonDialog
          {...VERBS[verb]}
          title={`${verb === "cancel" ? "Cancel" : "Terminate"} ${activityId}`}
          danger={verb === "terminate"}
          action="activity"
          cli={(reason) => cli("activity", verb, ...target, ...flag("--reason", reason))}
          run={(reason) =>
            post(within(namespace, "activities", activityId, verb), {
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
