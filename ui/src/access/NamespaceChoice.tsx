import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { EmptyState, Loaded } from "../kit/states";
import { useStore } from "../kit/store";
import { namespacesQuery } from "../namespaces/queries";
import { sessionStore } from "../session/session";

/** The namespaces that are open to the user, or what to do when none is. */
export function NamespaceChoice({ title }: { title: string }) {
  const namespaces = useQuery(namespacesQuery);
  const { session } = useStore(sessionStore);
  return (
    <Loaded query={namespaces}>
      {(all) =>
        all.length === 0 ? (
          <EmptyState heading icon="key" title="No namespace is open to you">
            {session?.user ? (
              <p>
                You are signed in as {session.user.name}
                {session.user.email !== undefined && ` (${session.user.email})`}, and have no role
                yet. Ask an administrator for one, and sign in again then.
              </p>
            ) : (
              <p>Ask an administrator for a role in one.</p>
            )}
          </EmptyState>
        ) : (
          <EmptyState heading icon="box" title={title}>
            <p>These are open to you:</p>
            <ul className="plain" aria-label="Namespaces that are open to you">
              {all.map(({ namespaceInfo: { name } }) => (
                <li key={name}>
                  <Link to="/namespaces/$namespace/workflows" params={{ namespace: name }}>
                    {name}
                  </Link>
                </li>
              ))}
            </ul>
          </EmptyState>
        )
      }
    </Loaded>
  );
}
