import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useMatches, useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { EmptyState, Skeleton } from "../kit/states";
import { useStore } from "../kit/store";
import { sessionStore } from "../session/session";
import { useNamespace } from "../shell/useNamespace";
import { isOpen, permissionsQuery, refusal } from "./permissions";

const NamespaceChoice = lazy(() =>
  import("./NamespaceChoice").then((module) => ({ default: module.NamespaceChoice })),
);

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** The method without which the view makes no sense. */
    needs?: string;
    /** Shown also in namespaces that are closed to the user. */
    always?: boolean;
  }
}

/** Shows a view to who may see it, and others what they lack: a refusal is no failure. */
export function Gate() {
  const { namespace: inPath } = useParams({ strict: false });
  const namespace = useNamespace();
  const { session } = useStore(sessionStore);
  const needs = useMatches({
    select: (matches) =>
      matches.map(({ staticData }) => staticData.needs).findLast((method) => method !== undefined),
  });
  const always = useMatches({
    select: (matches) => matches.some(({ staticData }) => staticData.always === true),
  });
  const permissions = useQuery(permissionsQuery(namespace));
  // Who has signed in may lack a role here: that is known before anything is asked in vain.
  if (session?.user !== undefined && permissions.isPending) {
    return (
      <div className="page">
        <Skeleton lines={12} />
      </div>
    );
  }
  if (always) return <Outlet />;
  if (inPath !== undefined && permissions.data && !isOpen(permissions.data)) {
    return (
      <div className="page">
        <Suspense fallback={<Skeleton />}>
          <NamespaceChoice title={`You have no role in the namespace ${namespace}`} />
        </Suspense>
      </div>
    );
  }
  const refused = needs && refusal(needs, namespace, permissions.data);
  if (refused !== undefined && refused !== "") {
    return (
      <div className="page">
        <EmptyState heading icon="key" title="This view is not open to you">
          <p>{refused}</p>
          <p>
            See{" "}
            <Link to="/namespaces/$namespace/access" params={{ namespace }}>
              what you may do
            </Link>
            .
          </p>
        </EmptyState>
      </div>
    );
  }
  return <Outlet />;
}
