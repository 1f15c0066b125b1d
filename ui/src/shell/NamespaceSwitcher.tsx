import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { Icon } from "../kit/icons";
import { namespacesQuery } from "../namespaces/queries";

const Picker = lazy(() => import("./Picker").then((module) => ({ default: module.Picker })));

/** Names the namespace, and finds another one. */
export function NamespaceSwitcher({ namespace }: { namespace: string }) {
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const namespaces = useQuery({ ...namespacesQuery, enabled: open });
  return (
    <>
      <button
        type="button"
        className="namespace-switcher"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <span className="namespace-label">Namespace</span>
        <span className="namespace-name">{namespace}</span>
        <Icon name="chevron" size={12} />
      </button>
      {open && (
        <Suspense>
          <Picker
            title="Switch namespace"
            placeholder="Name of a namespace"
            loading={namespaces.isPending}
            items={(namespaces.data ?? []).map(({ namespaceInfo }) => ({
              id: namespaceInfo.name,
              label: namespaceInfo.name,
              hint: namespaceInfo.description,
              run: () =>
                void navigate({
                  to: "/namespaces/$namespace/workflows",
                  params: { namespace: namespaceInfo.name },
                }),
            }))}
            onClose={() => setOpen(false)}
          />
        </Suspense>
      )}
    </>
  );
}
