import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { type Column, ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { TextFilter } from "../kit/TextFilter";
import { nexusOperationsRoute } from "../router";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";
import { type NexusOperationListInfo, nexusOperationsQuery } from "./queries";

const columns = (namespace: string): Column<NexusOperationListInfo>[] => [
  { label: "Status", cell: ({ status }) => <Status status={status} /> },
  {
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
  },
  { label: "Endpoint", cell: ({ endpoint }) => endpoint },
  { label: "Service", cell: ({ service }) => service },
  { label: "Operation", cell: ({ operation }) => operation },
  { label: "Scheduled", cell: ({ scheduleTime }) => <Time value={scheduleTime} /> },
  {
    label: "Took",
    cell: ({ scheduleTime, closeTime }) => <Elapsed from={scheduleTime} to={closeTime} />,
  },
];

/** Nexus operations that no workflow waits for. */
export function NexusOperationListPage() {
  const { namespace } = nexusOperationsRoute.useParams();
  const { query = "" } = nexusOperationsRoute.useSearch();
  const navigate = useNavigate({ from: nexusOperationsRoute.fullPath });
  const operations = useQuery(nexusOperationsQuery(namespace, query));
  useShortcuts("Standalone Nexus operations", [
    {
      keys: "c",
      label: "Start a Nexus operation",
      run: () =>
        void navigate({
          to: "/namespaces/$namespace/start-nexus-operation",
          params: { namespace },
        }),
    },
  ]);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Standalone Nexus operations</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli("nexus", "operation", "list", "-n", namespace, ...flag("-q", query)),
            }}
          />
          <Link
            to="/namespaces/$namespace/start-nexus-operation"
            params={{ namespace }}
            className="button primary"
          >
            <Icon name="plus" /> Start operation
          </Link>
        </div>
      </header>
      <TextFilter
        key={query}
        query={query}
        placeholder={'ExecutionStatus = "Running"'}
        onQuery={(next) => void navigate({ search: { query: next } })}
      />
      <Loaded query={operations}>
        {({ operations: all = [] }) =>
          all.length === 0 ? (
            <EmptyState
              icon="nexus"
              title={query === "" ? "No standalone Nexus operations" : "None fits the filter"}
            >
              Operations of workflows are shown with their workflow.
            </EmptyState>
          ) : (
            <ListTable
              caption="Standalone Nexus operations"
              rows={all}
              keyOf={({ runId }) => runId}
              columns={columns(namespace)}
            />
          )
        }
      </Loaded>
    </div>
  );
}
