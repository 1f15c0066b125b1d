import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { NamespaceChoice } from "../access/NamespaceChoice";
import { Skeleton } from "../kit/states";
import { namespacesQuery } from "../namespaces/queries";
import { useNamespace } from "./useNamespace";

/** Leads those who have signed in to a namespace that is open to them. */
export function HomePage() {
  const last = useNamespace();
  const namespaces = useQuery(namespacesQuery);
  const names = (namespaces.data ?? []).map(({ namespaceInfo }) => namespaceInfo.name);
  const namespace = names.includes(last) ? last : names[0];
  if (namespace !== undefined) {
    return <Navigate to="/namespaces/$namespace/workflows" params={{ namespace }} replace />;
  }
  return (
    <div className="page">
      {namespaces.isPending ? <Skeleton lines={12} /> : <NamespaceChoice title="Namespaces" />}
    </div>
  );
}
