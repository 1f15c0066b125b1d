import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { batchOperationsRoute } from "../router";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { batchOperationsQuery } from "./queries";

export function BatchOperationListPage() {
  const { namespace } = batchOperationsRoute.useParams();
  const operations = useQuery(batchOperationsQuery(namespace));
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
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Batch operations</caption>
                <thead>
                  <tr>
                    <th scope="col">State</th>
                    <th scope="col">Job id</th>
                    <th scope="col">Started</th>
                    <th scope="col">Took</th>
                  </tr>
                </thead>
                <tbody>
                  {operationInfo.map(({ jobId, state, startTime, closeTime }) => (
                    <tr key={jobId}>
                      <td>
                        <Status status={state} />
                      </td>
                      <td>
                        <Link
                          to="/namespaces/$namespace/batch-operations/$jobId"
                          params={{ namespace, jobId }}
                          className="row-link mono"
                        >
                          {jobId}
                        </Link>
                      </td>
                      <td>
                        <Time value={startTime} />
                      </td>
                      <td>
                        <Elapsed from={startTime} to={closeTime} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </div>
  );
}
