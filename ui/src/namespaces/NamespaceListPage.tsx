import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import type { Namespace } from "../api/types";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { type Column, ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { durationMillis, formatDuration } from "../time/format";
import { cli } from "../workflows/actions/commands";
import { NamespaceDialog } from "./NamespaceDialog";
import { namespacesQuery } from "./queries";

const COLUMNS: Column<Namespace>[] = [
  {
    label: "Name",
    cell: ({ namespaceInfo: { name } }) => (
      <Link to="/namespaces/$namespace" params={{ namespace: name }} className="row-link">
        {name}
      </Link>
    ),
  },
  { label: "State", cell: ({ namespaceInfo }) => <Status status={namespaceInfo.state} /> },
  {
    label: "Retention",
    cell: ({ config }) =>
      formatDuration(durationMillis(config?.workflowExecutionRetentionTtl) ?? 0),
  },
  { label: "Description", cell: ({ namespaceInfo }) => namespaceInfo.description },
  { label: "Owner", cell: ({ namespaceInfo }) => namespaceInfo.ownerEmail },
];

export function NamespaceListPage() {
  const namespaces = useQuery(namespacesQuery);
  const navigate = useNavigate();
  const may = useMay();
  const [creating, setCreating] = useState(false);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Namespaces</h1>
        <div className="page-actions">
          <CommandsMenu commands={{ cli: cli("operator", "namespace", "list") }} />
          <ActionButton
            refused={may("RegisterNamespace")}
            className="button primary"
            onClick={() => setCreating(true)}
          >
            <Icon name="plus" /> Create namespace
          </ActionButton>
        </div>
      </header>
      <Loaded query={namespaces}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon="box" title="No namespace is open to you">
              Ask an administrator for a role in one.
            </EmptyState>
          ) : (
            <ListTable
              caption="Namespaces"
              rows={all}
              keyOf={({ namespaceInfo }) => namespaceInfo.name}
              columns={COLUMNS}
            />
          )
        }
      </Loaded>
      {creating && (
        <NamespaceDialog
          onCreated={(namespace) =>
            void navigate({ to: "/namespaces/$namespace", params: { namespace } })
          }
          onClose={() => setCreating(false)}
        />
      )}
    </div>
  );
}
