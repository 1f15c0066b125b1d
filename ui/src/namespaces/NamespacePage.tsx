import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { address, path } from "../api/http";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Loaded } from "../kit/states";
import { namespaceRoute } from "../router";
import { durationMillis, formatBytes, formatDuration } from "../time/format";
import { cli, curl } from "../workflows/actions/commands";
import { namespaceQuery, searchAttributesQuery } from "./queries";

const words = (name: string): string => {
  const text = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const typeName = (type: string): string =>
  type
    .replace("INDEXED_VALUE_TYPE_", "")
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");

/** A namespace's settings, limits and search attributes. */
export function NamespacePage() {
  const { namespace } = namespaceRoute.useParams();
  const query = useQuery(namespaceQuery(namespace));
  const attributes = useQuery(searchAttributesQuery(namespace));
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
      <section className="card">
        <h2>Search attributes</h2>
        <Loaded query={attributes}>
          {({ customAttributes = {}, systemAttributes = {} }) => (
            <div className="columns-2">
              <AttributeTable title="Of this namespace" attributes={customAttributes} />
              <AttributeTable title="Of every namespace" attributes={systemAttributes} />
            </div>
          )}
        </Loaded>
        <p className="faint">
          Add one with{" "}
          <code>
            temporal operator search-attribute create -n {namespace} --name NAME --type TYPE
          </code>
          .
        </p>
      </section>
    </div>
  );
}

function AttributeTable({
  title,
  attributes,
}: {
  title: string;
  attributes: Record<string, string>;
}) {
  const names = Object.keys(attributes).sort();
  return (
    <section>
      <h3>{title}</h3>
      {names.length === 0 ? (
        <p className="faint">none</p>
      ) : (
        <div ref={focusableWhenScrolling} className="table-frame">
          <table className="table">
            <caption className="visually-hidden">Search attributes: {title}</caption>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Type</th>
              </tr>
            </thead>
            <tbody>
              {names.map((name) => (
                <tr key={name}>
                  <td className="mono">{name}</td>
                  <td>{typeName(attributes[name] ?? "")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
