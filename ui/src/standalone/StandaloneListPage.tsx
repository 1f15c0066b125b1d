import type { UseQueryResult } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon, type IconName } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { type Column, ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { TextFilter } from "../kit/TextFilter";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";

interface Row {
  runId: string;
  status?: string;
  scheduleTime?: string;
  closeTime?: string;
}

/** Activities, or Nexus operations, that no workflow waits for. */
export function StandaloneListPage<T, R extends Row>({
  title,
  icon,
  start,
  command,
  namespace,
  query,
  placeholder,
  onQuery,
  listed,
  rowsOf,
  id,
  columns,
  children,
}: {
  title: string;
  icon: IconName;
  /** Where one is started, and what that is called. */
  start: {
    to: "/namespaces/$namespace/start-activity" | "/namespaces/$namespace/start-nexus-operation";
    label: string;
    button: string;
  };
  command: readonly string[];
  namespace: string;
  query: string;
  placeholder: string;
  onQuery: (query: string | undefined) => void;
  listed: UseQueryResult<T>;
  rowsOf: (answer: T) => readonly R[];
  /** The column that leads to one of them. */
  id: Column<R>;
  /** What only these have: before the times, and after them. */
  columns: { before: readonly Column<R>[]; after?: readonly Column<R>[] };
  /** What is said where there is none. */
  children: ReactNode;
}) {
  const navigate = useNavigate();
  useShortcuts(title, [
    {
      keys: "c",
      label: start.label,
      run: () => void navigate({ to: start.to, params: { namespace } }),
    },
  ]);
  return (
    <div className="page">
      <header className="page-header">
        <h1>{title}</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{ cli: cli(...command, "list", "-n", namespace, ...flag("-q", query)) }}
          />
          <Link to={start.to} params={{ namespace }} className="button primary">
            <Icon name="plus" /> {start.button}
          </Link>
        </div>
      </header>
      <TextFilter key={query} query={query} placeholder={placeholder} onQuery={onQuery} />
      <Loaded query={listed}>
        {(answer) => {
          const rows = rowsOf(answer);
          return rows.length === 0 ? (
            <EmptyState
              icon={icon}
              title={query === "" ? `No ${title.replace(/^S/, "s")}` : "None fits the filter"}
            >
              {children}
            </EmptyState>
          ) : (
            <ListTable
              caption={title}
              rows={rows}
              keyOf={({ runId }) => runId}
              columns={[
                { label: "Status", cell: ({ status }) => <Status status={status} /> },
                id,
                ...columns.before,
                { label: "Scheduled", cell: ({ scheduleTime }) => <Time value={scheduleTime} /> },
                {
                  label: "Took",
                  cell: ({ scheduleTime, closeTime }) => (
                    <Elapsed from={scheduleTime} to={closeTime} />
                  ),
                },
                ...(columns.after ?? []),
              ]}
            />
          );
        }}
      </Loaded>
    </div>
  );
}
