import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { IDENTITY, post, within } from "../api/http";
import { useWatched } from "../api/watch";
import { CommandsMenu } from "../kit/CommandsMenu";
import { FormDialog } from "../kit/FormDialog";
import { Menu, MenuItem } from "../kit/Menu";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Loaded } from "../kit/states";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { deploymentRoute } from "../router";
import { Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { deploymentQuery, type VersionSummary } from "./queries";

interface Change {
  to: "current" | "ramping";
  buildId: string;
}

/** One worker deployment: its versions, and which of them gets new work. */
export function DeploymentPage() {
  const { namespace, deploymentName } = deploymentRoute.useParams();
  const deployment = useWatched(deploymentQuery(namespace, deploymentName));
  const [change, setChange] = useState<Change | undefined>();
  const may = useMay();
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/deployments" params={{ namespace }}>
          Deployments
        </Link>
      </nav>
      <header className="page-header">
        <h1>{deploymentName}</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli(
                "worker",
                "deployment",
                "describe",
                "-n",
                namespace,
                "--name",
                deploymentName,
              ),
            }}
          />
        </div>
      </header>
      <Loaded query={deployment}>
        {({ workerDeploymentInfo: info, conflictToken }) => (
          <>
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Versions</caption>
                <thead>
                  <tr>
                    <th scope="col">Build id</th>
                    <th scope="col">Status</th>
                    <th scope="col">Gets</th>
                    <th scope="col">Created</th>
                    <th scope="col">
                      <span className="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {(info?.versionSummaries ?? []).map((version: VersionSummary) => {
                    const buildId = version.deploymentVersion?.buildId ?? "";
                    const routing = info?.routingConfig;
                    const current = routing?.currentDeploymentVersion?.buildId === buildId;
                    const ramping = routing?.rampingDeploymentVersion?.buildId === buildId;
                    return (
                      <tr key={buildId}>
                        <td className="mono">{buildId}</td>
                        <td>
                          <Status
                            status={version.status?.replace(
                              "WORKER_DEPLOYMENT_VERSION_STATUS_",
                              "STATUS_",
                            )}
                          />
                        </td>
                        <td>
                          {current && <span className="tag good">current</span>}
                          {ramping && (
                            <span className="tag">
                              ramping · {routing?.rampingVersionPercentage ?? 0} %
                            </span>
                          )}
                        </td>
                        <td>
                          <Time value={version.createTime} />
                        </td>
                        <td>
                          <Menu
                            label={`Actions for ${buildId}`}
                            iconOnly
                            icon="⋯"
                            className="icon-button"
                          >
                            <MenuItem
                              onSelect={() => setChange({ to: "current", buildId })}
                              disabled={
                                current
                                  ? "It is the current version"
                                  : may("SetWorkerDeploymentCurrentVersion")
                              }
                            >
                              Make current…
                            </MenuItem>
                            <MenuItem
                              onSelect={() => setChange({ to: "ramping", buildId })}
                              disabled={
                                current
                                  ? "It is the current version"
                                  : may("SetWorkerDeploymentRampingVersion")
                              }
                            >
                              Ramp up…
                            </MenuItem>
                          </Menu>
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
            {change && (
              <ChangeDialog
                namespace={namespace}
                name={deploymentName}
                change={change}
                conflictToken={conflictToken}
                onClose={() => setChange(undefined)}
              />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function ChangeDialog({
  namespace,
  name,
  change,
  conflictToken,
  onClose,
}: {
  namespace: string;
  name: string;
  change: Change;
  conflictToken: string | undefined;
  onClose: () => void;
}) {
  const [percentage, setPercentage] = useState("10");
  const current = change.to === "current";
  return (
    <FormDialog
      title={current ? `Make ${change.buildId} current` : `Ramp up ${change.buildId}`}
      submit={current ? "Make current" : "Ramp up"}
      ready={current || (Number(percentage) >= 0 && Number(percentage) <= 100)}
      run={() =>
        post(
          within(
            namespace,
            "worker-deployments",
            name,
            current ? "set-current-version" : "set-ramping-version",
          ),
          {
            deploymentName: name,
            buildId: change.buildId,
            conflictToken,
            identity: IDENTITY,
            ...(current ? {} : { percentage: Number(percentage) }),
          },
        )
      }
      done={() => toast({ kind: "good", title: `${change.buildId} is ${change.to}` })}
      onClose={onClose}
    >
      <p>
        {current
          ? "New workflows, and those that follow versions by themselves, go to this version."
          : "This part of new workflows goes to this version."}
      </p>
      {!current && (
        <TextField
          label="Percentage"
          type="number"
          min={0}
          max={100}
          value={percentage}
          onChange={setPercentage}
        />
      )}
    </FormDialog>
  );
}
