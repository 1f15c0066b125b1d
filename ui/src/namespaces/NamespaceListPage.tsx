import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { durationMillis, formatDuration } from "../time/format";
import { namespacesQuery } from "./queries";

export function NamespaceListPage() {
  const namespaces = useQuery(namespacesQuery);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Namespaces</h1>
      </header>
      <Loaded query={namespaces}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon="box" title="No namespace is open to you">
              Ask an administrator for a role in one.
            </EmptyState>
          ) : (
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Namespaces</caption>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">State</th>
                    <th scope="col">Retention</th>
                    <th scope="col">Description</th>
                    <th scope="col">Owner</th>
                  </tr>
                </thead>
                <tbody>
                  {all.map(({ namespaceInfo, config }) => (
                    <tr key={namespaceInfo.name}>
                      <td>
                        <Link
                          to="/namespaces/$namespace"
                          params={{ namespace: namespaceInfo.name }}
                          className="row-link"
                        >
                          {namespaceInfo.name}
                        </Link>
                      </td>
                      <td>
                        <Status status={namespaceInfo.state} />
                      </td>
                      <td>
                        {formatDuration(durationMillis(config?.workflowExecutionRetentionTtl) ?? 0)}
                      </td>
                      <td>{namespaceInfo.description ?? ""}</td>
                      <td>{namespaceInfo.ownerEmail ?? ""}</td>
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
