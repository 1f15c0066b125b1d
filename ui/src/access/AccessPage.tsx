import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FindField } from "../kit/FindField";
import { Icon } from "../kit/icons";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { namespacesQuery } from "../namespaces/queries";
import { accessRoute } from "../router";
import { because, type Decision, grouped, permissionsQuery } from "./permissions";
import "../styles/access.css";
import "../styles/list.css";

/** What may I do, and why. */
export function AccessPage() {
  const { namespace } = accessRoute.useParams();
  const permissions = useQuery(permissionsQuery(namespace));
  return (
    <div className="page">
      <header className="page-header">
        <h1>Access</h1>
        <span className="faint">what you may do in {namespace}, and why</span>
      </header>
      <Loaded query={permissions}>
        {(told) =>
          told?.decisions === undefined ? (
            <EmptyState icon="key" title="Unknown: the server decides">
              <p>
                The server behind these pages does not say beforehand what you may do. It decides
                about each call when it is made.
              </p>
              <p>So everything is offered here, and what you may not do is refused when you try.</p>
            </EmptyState>
          ) : (
            <>
              <Caller
                namespace={namespace}
                name={told.principal ?? undefined}
                kind={told.kind ?? undefined}
                roles={told.roles ?? []}
              />
              {told.consulted && (
                <p className="note">
                  A webhook is asked about each call, too: it may refuse what is allowed here.
                </p>
              )}
              <Decisions namespace={namespace} decisions={told.decisions} />
            </>
          )
        }
      </Loaded>
    </div>
  );
}

function Caller({
  namespace,
  name,
  kind,
  roles,
}: {
  namespace: string;
  name: string | undefined;
  kind: string | undefined;
  roles: string[];
}) {
  const { data: namespaces = [] } = useQuery(namespacesQuery);
  const others = namespaces
    .map(({ namespaceInfo }) => namespaceInfo.name)
    .filter((other) => other !== namespace);
  return (
    <section className="card" aria-label="You">
      <dl className="attributes">
        <div>
          <dt>You are</dt>
          <dd className="mono">{name === undefined ? "nobody known" : `${kind}:${name}`}</dd>
        </div>
        <div>
          <dt>Your roles</dt>
          <dd>
            {roles.length === 0
              ? "none"
              : roles.map((role) => (
                  <code key={role} className="tag role">
                    {role}
                  </code>
                ))}
          </dd>
        </div>
        {others.length > 0 && (
          <div>
            <dt>Also open to you</dt>
            <dd className="access-others">
              {others.map((other) => (
                <Link
                  key={other}
                  to="/namespaces/$namespace/access"
                  params={{ namespace: other }}
                  search={(search) => search}
                >
                  {other}
                </Link>
              ))}
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

const SHOWN = [
  [undefined, "All"],
  ["allowed", "Allowed"],
  ["refused", "Refused"],
] as const;

function Decisions({
  namespace,
  decisions,
}: {
  namespace: string;
  decisions: Record<string, Decision>;
}) {
  const search = accessRoute.useSearch();
  const navigate = useNavigate({ from: accessRoute.fullPath });
  const groups = grouped(decisions, search);
  const allowed = Object.values(decisions).filter((one) => one.allowed).length;
  return (
    <>
      <div className="list-tools">
        <FindField
          view="Access"
          label="Find a method"
          placeholder="A method, a right, a rule …"
          value={search.find ?? ""}
          onValue={(value) =>
            void navigate({
              search: (before) => ({ ...before, find: value || undefined }),
              replace: true,
              resetScroll: false,
            })
          }
        />
        <fieldset className="button-group" aria-label="Show">
          {SHOWN.map(([show, label]) => (
            <button
              key={label}
              type="button"
              className="button"
              aria-pressed={search.show === show}
              onClick={() =>
                void navigate({ search: (before) => ({ ...before, show }), resetScroll: false })
              }
            >
              {label}
            </button>
          ))}
        </fieldset>
      </div>
      <p className="faint" role="status">
        {allowed} of {Object.keys(decisions).length} methods are allowed.
      </p>
      {groups.length === 0 ? (
        <EmptyState icon="search" title="No method fits" />
      ) : (
        <div ref={focusableWhenScrolling} className="table-frame">
          <table className="table access-table">
            <caption className="visually-hidden">Methods, and why you may call them</caption>
            <thead>
              <tr>
                <th scope="col">Method</th>
                <th scope="col">Needs</th>
                <th scope="col">You may</th>
                <th scope="col">Because</th>
              </tr>
            </thead>
            {groups.map(([about, rows]) => (
              <tbody key={about}>
                <tr className="access-group">
                  <th scope="rowgroup" colSpan={4}>
                    {about}
                  </th>
                </tr>
                {rows.map(([method, decision]) => (
                  <tr key={method} data-method={method}>
                    <th scope="row">{method}</th>
                    <td>
                      {decision.needs === "nothing" ? (
                        <span className="faint">nothing</span>
                      ) : (
                        <>
                          {decision.needs}
                          {decision.on === "cluster" && (
                            <span className="faint"> on the whole server</span>
                          )}
                        </>
                      )}
                    </td>
                    <td>
                      <span className={`status ${decision.allowed ? "good" : "calm"}`}>
                        <Icon name={decision.allowed ? "check" : "slash"} size={11} />
                        {decision.allowed ? "yes" : "no"}
                      </span>
                    </td>
                    <td className="access-why">{because(decision, namespace)}</td>
                  </tr>
                ))}
              </tbody>
            ))}
          </table>
        </div>
      )}
    </>
  );
}
