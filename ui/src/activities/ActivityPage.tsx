import { Link } from "@tanstack/react-router";
import type { JsonObject } from "../api/types";
import { useWatched } from "../api/watch";
import { activityRoute } from "../router";
import { type Kind, StandalonePage } from "../standalone/StandalonePage";
import { activityQuery } from "./queries";

const ACTIVITY: Kind = {
  path: "activities",
  command: ["activity"],
  idFlag: "--activity-id",
  action: "activity",
  cancel: {
    text: "The worker is asked to stop with its next heartbeat. It may clean up before it does.",
    submit: "Cancel activity",
    done: "Cancellation was requested",
    method: "RequestCancelActivityExecution",
  },
  terminate: {
    text: "The activity ends at once. Its worker gets no chance to clean up.",
    submit: "Terminate activity",
    done: "The activity was terminated",
    method: "TerminateActivityExecution",
  },
};

/** One standalone activity. */
export function ActivityPage() {
  const { namespace, activityId, runId } = activityRoute.useParams();
  return (
    <StandalonePage
      kind={ACTIVITY}
      namespace={namespace}
      id={activityId}
      runId={runId}
      up={
        <Link to="/namespaces/$namespace/activities" params={{ namespace }} search={{}}>
          Standalone activities
        </Link>
      }
      described={useWatched(activityQuery(namespace, activityId, runId))}
      read={({ info, input, outcome }) => {
        const { lastFailure, heartbeatDetails, ...rest } = info ?? { activityId, runId };
        return {
          status: info?.status,
          closed: info?.closeTime !== undefined,
          input: input?.payloads,
          failure: outcome?.failure ?? lastFailure,
          result: outcome?.result?.payloads,
          details: heartbeatDetails?.payloads,
          attributes: rest as JsonObject,
        };
      }}
    />
  );
}
