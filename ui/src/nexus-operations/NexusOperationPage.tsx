import { Link } from "@tanstack/react-router";
import type { JsonObject } from "../api/types";
import { useWatched } from "../api/watch";
import { nexusOperationRoute } from "../router";
import { type Kind, StandalonePage } from "../standalone/StandalonePage";
import { nexusOperationQuery } from "./queries";

const OPERATION: Kind = {
  path: "nexus-operations",
  command: ["nexus", "operation"],
  idFlag: "--operation-id",
  cancel: {
    text: "The handler is asked to stop. It may refuse, and it may clean up before it does.",
    submit: "Cancel operation",
    done: "Cancellation was requested",
    method: "RequestCancelNexusOperationExecution",
  },
  terminate: {
    text: "The operation ends here at once. Its handler is not told.",
    submit: "Terminate operation",
    done: "The operation was terminated",
    method: "TerminateNexusOperationExecution",
  },
};

/** One standalone Nexus operation. */
export function NexusOperationPage() {
  const { namespace, operationId, runId } = nexusOperationRoute.useParams();
  return (
    <StandalonePage
      kind={OPERATION}
      namespace={namespace}
      id={operationId}
      runId={runId}
      up={
        <Link to="/namespaces/$namespace/nexus-operations" params={{ namespace }} search={{}}>
          Standalone Nexus operations
        </Link>
      }
      described={useWatched(nexusOperationQuery(namespace, operationId, runId))}
      read={({ info, input, result, failure }) => {
        const { lastAttemptFailure, ...rest } = info ?? { operationId, runId };
        return {
          status: info?.status,
          closed: info?.closeTime !== undefined,
          input: input && [input],
          failure: failure ?? lastAttemptFailure,
          result: result && [result],
          attributes: rest as JsonObject,
        };
      }}
    />
  );
}
