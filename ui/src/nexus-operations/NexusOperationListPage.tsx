import { Link, useNavigate } from "@tanstack/react-router";
import { useWatched } from "../api/watch";
import { nexusOperationsRoute } from "../router";
import { StandaloneListPage } from "../standalone/StandaloneListPage";
import { nexusOperationsQuery } from "./queries";

/** Nexus operations that no workflow waits for. */
export function NexusOperationListPage() {
  const { namespace } = nexusOperationsRoute.useParams();
  const { query = "" } = nexusOperationsRoute.useSearch();
  const navigate = useNavigate({ from: nexusOperationsRoute.fullPath });
  return (
    <StandaloneListPage
      title="Standalone Nexus operations"
      icon="nexus"
      start={{
        to: "/namespaces/$namespace/start-nexus-operation",
        label: "Start a Nexus operation",
        button: "Start operation",
      }}
      command={["nexus", "operation"]}
      namespace={namespace}
      query={query}
      placeholder={'ExecutionStatus = "Running"'}
      onQuery={(next) => void navigate({ search: { query: next } })}
      listed={useWatched(nexusOperationsQuery(namespace, query))}
      rowsOf={({ operations = [] }) => operations}
      id={{
        label: "Operation id",
        cell: ({ operationId, runId }) => (
          <Link
            to="/namespaces/$namespace/nexus-operations/$operationId/$runId"
            params={{ namespace, operationId, runId }}
            className="row-link mono"
          >
            {operationId}
          </Link>
        ),
      }}
      columns={{
        before: [
          { label: "Endpoint", cell: ({ endpoint }) => endpoint },
          { label: "Service", cell: ({ service }) => service },
          { label: "Operation", cell: ({ operation }) => operation },
        ],
      }}
    >
      Operations of workflows are shown with their workflow.
    </StandaloneListPage>
  );
}
