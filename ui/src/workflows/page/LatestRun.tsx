import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { Loaded } from "../../kit/states";
import { latestRunRoute } from "../../router";
import { describeQuery } from "./queries";

/** Leads to the newest run of a workflow id. */
export function LatestRun() {
  const { namespace, workflowId } = latestRunRoute.useParams();
  const describe = useQuery({
    ...describeQuery(namespace, workflowId, ""),
    refetchInterval: false,
  });
  return (
    <div className="page">
      <Loaded query={describe}>
        {({ workflowExecutionInfo: { execution } }) => (
          <Navigate
            to="/namespaces/$namespace/workflows/$workflowId/$runId"
            params={{ namespace, workflowId, runId: execution.runId ?? "" }}
            replace
          />
        )}
      </Loaded>
    </div>
  );
}
