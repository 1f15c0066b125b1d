import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { address, path } from "../api/http";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { namespaceRoute } from "../router";
import { durationMillis, formatBytes, formatDuration } from "../time/format";
import { cli, curl } from "../workflows/actions/commands";
import { NamespaceDialog } from "./NamespaceDialog";
import { namespaceQuery } from "./queries";
import { SearchAttributes } from "./SearchAttributes";

const words = (name: string): string => {
  const text = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** A namespace's settings, limits and search attributes. */
export function NamespacePage() {
  const { namespace } = namespaceRoute.useParams();
  const query = useQuery(namespaceQuery(namespace));
  const may = useMay();
  const [changing, setChanging] = useState(false);
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces">Namespaces</Link>
      </nav>
      <header className="page-header">
        <h1>{namespace}</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli("operator", "namespace", "describe", "-n", namespace),
              curl: curl("GET", address(`api/v1/${path("namespaces", namespace)}`)),
            }}
          />
          <ActionButton
            refused={may("UpdateNamespace")}
            disabled={!query.data}
            onClick={() => setChanging(true)}
          >
            Change…
          </ActionButton>
          <Link
            to="/namespaces/$namespace/workflows"
            params={{ namespace }}
            search={{}}
            className="button primary"
          >
            Workflows
          </Link>
        </div>
      </header>
      <Loaded query={query}>
        {({ namespaceInfo, config, replicationConfig }) => (
          <div className="columns-2">
            <section className="card">
              <h2>Settings</h2>
              <dl className="attributes">
                <div>
                  <dt>State</dt>
                  <dd>
                    <Status status={namespaceInfo.state} />
                  </dd>
                </div>
                <div>
                  <dt>Id</dt>
                  <dd className="mono">{namespaceInfo.id}</dd>
                </div>
                <div>
                  <dt>Retention of closed workflows</dt>
                  <dd>
                    {formatDuration(durationMillis(config?.workflowExecutionRetentionTtl) ?? 0)}
                  </dd>
                </div>
                {namespaceInfo.description && (
                  <div>
                    <dt>Description</dt>
                    <dd>{namespaceInfo.description}</dd>
                  </div>
                )}
                {namespaceInfo.ownerEmail && (
                  <div>
                    <dt>Owner</dt>
                    <dd>{namespaceInfo.ownerEmail}</dd>
                  </div>
                )}
                {Object.entries(namespaceInfo.data ?? {}).map(([key, value]) => (
                  <div key={key}>
                    <dt>{key}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
                <div>
                  <dt>Cluster</dt>
                  <dd>{replicationConfig?.activeClusterName ?? "–"}</dd>
                </div>
                {Object.entries(namespaceInfo.limits ?? {}).map(([key, value]) => (
                  <div key={key}>
                    <dt>{words(key)}</dt>
                    <dd>{formatBytes(Number(value))}</dd>
                  </div>
                ))}
              </dl>
            </section>
            <section className="card">
              <h2>What it offers</h2>
              <ul className="plain">
                {Object.entries(namespaceInfo.capabilities ?? {})
                  .filter(([, on]) => on)
                  .map(([key]) => (
                    <li key={key}>{words(key)}</li>
                  ))}
              </ul>
            </section>
          </div>
        )}
      </Loaded>
      <SearchAttributes namespace={namespace} />
      {changing && query.data && (
        <NamespaceDialog namespace={query.data} onClose={() => setChanging(false)} />
      )}
    </div>
  );
}
