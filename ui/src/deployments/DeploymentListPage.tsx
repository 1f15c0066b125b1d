import { Link } from "@tanstack/react-router";
import { useWatched } from "../api/watch";
import { CommandsMenu } from "../kit/CommandsMenu";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { deploymentsRoute } from "../router";
import { Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { deploymentsQuery } from "./queries";

/** Worker deployments: which version gets what. */
export function DeploymentListPage() {
  const { namespace } = deploymentsRoute.useParams();
  const deployments = useWatched(deploymentsQuery(namespace));
  return (
    <div className="page">
      <header className="page-header">
        <h1>Deployments</h1>
        <div className="page-actions">
          <CommandsMenu commands={{ cli: cli("worker", "deployment", "list", "-n", namespace) }} />
        </div>
      </header>
      <Loaded query={deployments}>
        {({ workerDeployments = [] }) =>
          workerDeployments.length === 0 ? (
            <EmptyState icon="ship" title="No worker deployments">
              Workers that name a deployment and a build id appear here.
            </EmptyState>
          ) : (
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Worker deployments</caption>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Current version</th>
                    <th scope="col">Ramping version</th>
                    <th scope="col">Created</th>
                  </tr>
                </thead>
                <tbody>
                  {workerDeployments.map(({ name = "", routingConfig, createTime }) => (
                    <tr key={name}>
                      <td>
                        <Link
                          to="/namespaces/$namespace/deployments/$deploymentName"
                          params={{ namespace, deploymentName: name }}
                          className="row-link"
                        >
                          {name}
                        </Link>
                      </td>
                      <td className="mono">
                        {routingConfig?.currentDeploymentVersion?.buildId ?? "unversioned"}
                      </td>
                      <td className="mono">
                        {routingConfig?.rampingDeploymentVersion?.buildId
                          ? `${routingConfig.rampingDeploymentVersion.buildId} · ${routingConfig.rampingVersionPercentage ?? 0} %`
                          : "–"}
                      </td>
                      <td>
                        <Time value={createTime} />
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
