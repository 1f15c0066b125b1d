import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { flexRender, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useMay } from "../../access/useMay";
import type { WorkflowExecutionInfo } from "../../api/types";
import { ActionButton } from "../../kit/ActionButton";
import { CommandsMenu } from "../../kit/CommandsMenu";
import { download } from "../../kit/clipboard";
import { Icon } from "../../kit/icons";
import { useShortcuts } from "../../kit/keys";
import { focusableWhenScrolling } from "../../kit/scrolling";
import { EmptyState, ErrorState, Skeleton } from "../../kit/states";
import { useStore } from "../../kit/store";
import { searchAttributesQuery } from "../../namespaces/queries";
import { workflowsRoute } from "../../router";
import { formatCount } from "../../time/format";
import { listCommands } from "../actions/commands";
import { ColumnMenu } from "./ColumnMenu";
import { columnsFor, columnsStore } from "./columns";
import { FilterBar } from "./FilterBar";
import { filterText, parseFilter, withStatuses } from "./filter";
import { PAGE_SIZE, statusCountsQuery, workflowListQuery } from "./queries";
import { StatusChips } from "./StatusChips";
import { useListChanges } from "./useListChanges";
import { ViewMenu } from "./ViewMenu";
import "../../styles/list.css";

const BulkBar = lazy(() => import("./BulkBar").then((module) => ({ default: module.BulkBar })));

const NO_ROWS: WorkflowExecutionInfo[] = [];
const keyOf = (row: WorkflowExecutionInfo): string =>
  `${row.execution.workflowId}\n${row.execution.runId}`;

export function WorkflowListPage() {
  const { namespace } = workflowsRoute.useParams();
  const { query = "", raw, after, page = 1 } = workflowsRoute.useSearch();
  const navigate = useNavigate({ from: workflowsRoute.fullPath });
  const client = useQueryClient();
  const told = useListChanges(namespace, query, after === undefined);
  const list = useQuery(workflowListQuery(namespace, query, after, told));
  const conditions = useMemo(() => parseFilter(query), [query]);
  const attributes = useQuery(searchAttributesQuery(namespace));
  const types = useMemo(
    () => ({ ...attributes.data?.systemAttributes, ...attributes.data?.customAttributes }),
    [attributes.data],
  );
  // The chips count what the other conditions find, so that each says what it would show.
  const beyondStatus = conditions ? filterText(withStatuses(conditions, []), types) : query;
  const counts = useQuery({
    ...statusCountsQuery(namespace, beyondStatus, told),
    enabled: !/\b(ORDER|GROUP)\s+BY\b/i.test(query),
  });
  const { shown } = useStore(columnsStore);
  const columns = useMemo(() => columnsFor(namespace, shown), [namespace, shown]);
  const rows = list.data?.executions ?? NO_ROWS;
  const [selected, setSelected] = useState<ReadonlyMap<string, WorkflowExecutionInfo>>(new Map());
  const [everything, setEverything] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has another selection
  useEffect(() => {
    setSelected(new Map());
    setEverything(false);
  }, [namespace, query]);

  const setQuery = useCallback(
    (next: string) =>
      void navigate({
        search: (before) => ({ raw: before.raw, query: next === "" ? undefined : next }),
      }),
    [navigate],
  );
  // Tokens lead forward only: those of the pages before are kept for the way back.
  const tokens = useRef<(string | undefined)[]>([]);
  tokens.current[page] = after;
  const goTo = (to: number, token: string | undefined): void => {
    void navigate({
      search: (before) => ({ ...before, after: token, page: to > 1 ? to : undefined }),
    });
  };
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ["workflows", namespace] });
    void client.invalidateQueries({ queryKey: ["workflow-counts", namespace] });
  };

  const table = useReactTable({
    data: rows,
    columns,
    getCoreRowModel: getCoreRowModel(),
    getRowId: keyOf,
  });
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState(-1);
  const move = (by: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, current + by));
    setCurrent(next);
    body.current?.rows[next]?.querySelector<HTMLElement>("a.row-link, a")?.focus();
  };
  const toggle = (row: WorkflowExecutionInfo): void => {
    setEverything(false);
    setSelected((before) => {
      const after_ = new Map(before);
      if (!after_.delete(keyOf(row))) after_.set(keyOf(row), row);
      return after_;
    });
  };
  const noStart = useMay()("StartWorkflowExecution");
  const start = (): void =>
    void navigate({
      to: "/namespaces/$namespace/start-workflow",
      params: { namespace },
      search: {},
    });
  const filterInput = useRef<HTMLInputElement>(null);
  useShortcuts("Workflows", [
    { keys: "j", label: "Next row", run: () => move(1) },
    { keys: "k", label: "Row before", run: () => move(-1) },
    {
      keys: "x",
      label: "Select the row",
      run: () => {
        const row = rows[current];
        if (row) toggle(row);
      },
    },
    { keys: "/", label: "Filter", run: () => filterInput.current?.focus() },
    { keys: "r", label: "Refresh", run: refresh },
    ...(noStart === undefined ? [{ keys: "c", label: "Start a workflow", run: start }] : []),
  ]);

  const allOfPage = rows.length > 0 && rows.every((row) => selected.has(keyOf(row)));
  const total = counts.data && sumOf(counts.data.byStatus, counts.data.total, conditions);

  return (
    <div className="page list-page">
      <header className="page-header">
        <h1>Workflows</h1>
        {total !== undefined && (
          <span className="count" aria-live="polite">
            {formatCount(total)}
          </span>
        )}
        <div className="page-actions">
          <button type="button" className="button quiet" onClick={refresh} title="Refresh (r)">
            <Icon name="refresh" /> Refresh
          </button>
          <CommandsMenu commands={listCommands(namespace, query)} />
          {noStart === undefined ? (
            <Link
              to="/namespaces/$namespace/start-workflow"
              params={{ namespace }}
              search={{}}
              className="button primary"
            >
              <Icon name="plus" /> Start workflow
            </Link>
          ) : (
            <ActionButton refused={noStart} onClick={start}>
              <Icon name="plus" /> Start workflow
            </ActionButton>
          )}
        </div>
      </header>
      <StatusChips
        counts={counts.data}
        conditions={conditions}
        onChange={(next) => setQuery(filterText(next, types))}
      />
      <div className="list-tools">
        <FilterBar
          namespace={namespace}
          query={query}
          raw={raw === true}
          types={types}
          inputRef={filterInput}
          onQuery={setQuery}
          onRaw={(next) =>
            void navigate({ search: (before) => ({ ...before, raw: next ? true : undefined }) })
          }
        />
        <div className="list-tools-end">
          <ViewMenu query={query} onChoose={setQuery} />
          <ColumnMenu customAttributes={Object.keys(attributes.data?.customAttributes ?? {})} />
          <button
            type="button"
            className="icon-button bordered"
            aria-label="Download this page as JSON"
            title="Download this page as JSON"
            onClick={() => download(`workflows-${namespace}.json`, JSON.stringify(rows, null, 2))}
          >
            <Icon name="download" />
          </button>
        </div>
      </div>
      {selected.size > 0 && (
        <Suspense>
          <BulkBar
            namespace={namespace}
            query={query}
            selected={[...selected.values()]}
            everything={everything}
            total={total}
            pageSelected={allOfPage}
            onEverything={setEverything}
            onClear={() => {
              setSelected(new Map());
              setEverything(false);
            }}
          />
        </Suspense>
      )}
      {list.error !== null && rows.length === 0 ? (
        <ErrorState error={list.error} retry={() => list.refetch()} />
      ) : list.isPending ? (
        <Skeleton lines={12} />
      ) : rows.length === 0 ? (
        <EmptyState
          icon="workflow"
          title={query === "" ? "No workflows yet" : "No workflow fits this filter"}
        >
          {query === "" ? (
            <p>
              Start one with an SDK
              {noStart !== undefined ? (
                <>
                  {" "}
                  or with <code>temporal workflow start</code>.
                </>
              ) : (
                <>
                  , with <code>temporal workflow start</code>, or{" "}
                  <Link
                    to="/namespaces/$namespace/start-workflow"
                    params={{ namespace }}
                    search={{}}
                  >
                    here
                  </Link>
                  .
                </>
              )}
            </p>
          ) : (
            <button type="button" className="button" onClick={() => setQuery("")}>
              Show all workflows
            </button>
          )}
        </EmptyState>
      ) : (
        <div
          ref={focusableWhenScrolling}
          className="table-frame"
          data-stale={list.isPlaceholderData || undefined}
        >
          <table className="table">
            <caption className="visually-hidden">Workflows of the namespace {namespace}</caption>
            <thead>
              {table.getHeaderGroups().map((group) => (
                <tr key={group.id}>
                  <th scope="col" className="check-cell">
                    <input
                      type="checkbox"
                      aria-label="Select the rows of this page"
                      checked={allOfPage}
                      onChange={() => {
                        setEverything(false);
                        setSelected(
                          allOfPage ? new Map() : new Map(rows.map((row) => [keyOf(row), row])),
                        );
                      }}
                    />
                  </th>
                  {group.headers.map((header) => (
                    <th key={header.id} scope="col">
                      {flexRender(header.column.columnDef.header, header.getContext())}
                    </th>
                  ))}
                </tr>
              ))}
            </thead>
            <tbody ref={body}>
              {table.getRowModel().rows.map((row, at) => (
                <tr
                  key={row.id}
                  aria-selected={selected.has(row.id)}
                  className={at === current ? "current" : undefined}
                  onFocus={() => setCurrent(at)}
                >
                  <td className="check-cell">
                    <input
                      type="checkbox"
                      aria-label={`Select ${row.original.execution.workflowId}`}
                      checked={selected.has(row.id)}
                      onChange={() => toggle(row.original)}
                    />
                  </td>
                  {row.getVisibleCells().map((cell) => (
                    <td key={cell.id} data-column={cell.column.id}>
                      {flexRender(cell.column.columnDef.cell, cell.getContext())}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(page > 1 || list.data?.nextPageToken) && (
        <nav className="pages" aria-label="Pages">
          <button
            type="button"
            className="button"
            disabled={page <= 1}
            onClick={() => {
              const known = tokens.current[page - 1];
              goTo(known === undefined ? 1 : page - 1, known);
            }}
          >
            <Icon name="left" /> Previous
          </button>
          <span>
            {formatCount((page - 1) * PAGE_SIZE + 1)}–
            {formatCount((page - 1) * PAGE_SIZE + rows.length)}
            {page === 1 ? "" : " · this page does not refresh by itself"}
          </span>
          <button
            type="button"
            className="button"
            disabled={!list.data?.nextPageToken}
            onClick={() => goTo(page + 1, list.data?.nextPageToken)}
          >
            Next <Icon name="right" />
          </button>
        </nav>
      )}
    </div>
  );
}

/** How many a list has, from the counts of its statuses. */
function sumOf(
  byStatus: Record<string, number>,
  total: number,
  conditions: ReturnType<typeof parseFilter>,
): number {
  const wanted = conditions?.find(
    ({ field, operator }) => field === "ExecutionStatus" && (operator === "=" || operator === "IN"),
  );
  if (!wanted) return total;
  return wanted.values.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0);
}
