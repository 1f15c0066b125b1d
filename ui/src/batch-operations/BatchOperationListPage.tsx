import { Link } from "@tanstack/react-router";
import { useWatched } from "../api/watch";
import { CommandsMenu } from "../kit/CommandsMenu";
import { ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { batchOperationsRoute } from "../router";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { batchOperationsQuery } from "./queries";

export function BatchOperationListPage() {
  const { namespace } = batchOperationsRoute.useParams();
  const operations = useWatched(batchOperationsQuery(namespace));
  return (
    <div className="page">
      <header className="page-header">
        <h1>Batch operations</h1>
        <div className="page-actions">
          <CommandsMenu commands={{ cli: cli("batch", "list", "-n", namespace) }} />
        </div>
      </header>
      <Loaded query={operations}>
        {({ operationInfo = [] }) =>
          operationInfo.length === 0 ? (
            <EmptyState icon="stack" title="No batch operations yet">
              Select{" "}
              <Link to="/namespaces/$namespace/workflows" params={{ namespace }} search={{}}>
                workflows
              </Link>{" "}
              and signal, cancel, reset or terminate them at once.
            </EmptyState>
          ) : (
            <ListTable
              caption="Batch operations"
              rows={operationInfo}
              keyOf={({ jobId }) => jobId}
              columns={[
                { label: "State", cell: ({ state }) => <Status status={state} /> },
                {
                  label: "Job id",
                  cell: ({ jobId }) => (
                    <Link
                      to="/namespaces/$namespace/batch-operations/$jobId"
                      params={{ namespace, jobId }}
                      className="row-link mono"
                    >
                      {jobId}
                    </Link>
                  ),
                },
                { label: "Started", cell: ({ startTime }) => <Time value={startTime} /> },
                {
                  label: "Took",
                  cell: ({ startTime, closeTime }) => <Elapsed from={startTime} to={closeTime} />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </div>
  );
}
