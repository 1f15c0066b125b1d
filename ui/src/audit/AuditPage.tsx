import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { permissionsQuery, refusal } from "../access/permissions";
import { copy, download } from "../kit/clipboard";
import { Field } from "../kit/Field";
import { Icon, type IconName } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { Menu, MenuItem } from "../kit/Menu";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { toast } from "../kit/toasts";
import { auditRoute } from "../router";
import { useNamespace } from "../shell/useNamespace";
import { Time } from "../time/Time";
import { shellWord } from "../workflows/actions/commands";
import { type AuditRecord, auditQuery } from "./queries";
import { RecordDialog } from "./RecordDialog";
import { type AuditSearch, auditCommand, DECISIONS, pointInTime, TEXTS } from "./search";
import "../styles/audit.css";
import "../styles/list.css";

/** Who did what: the audit log of the server, or what of it is about a namespace. */
export function AuditPage() {
  const search = auditRoute.useSearch();
  const navigate = useNavigate({ from: auditRoute.fullPath });
  const last = useNamespace();
  const ofServer = useQuery(permissionsQuery(""));
  const ofNamespace = useQuery(permissionsQuery(search.namespace ?? ""));
  // Who looks after a namespace alone sees what is about it.
  const onlyIn = refusal("ReadAuditLog", "", ofServer.data);
  const refused = refusal("ReadAuditLog", search.namespace ?? "", ofNamespace.data);
  const isKnown = !ofServer.isPending && !ofNamespace.isPending;
  const isKept = ofServer.data?.auditLog !== false && ofServer.data !== null;
  const may = isKnown && isKept && refused === undefined;
  const page = useQuery({ ...auditQuery(search), enabled: may });
  const set = (change: Partial<AuditSearch>, keepsPage = false): void =>
    void navigate({
      search: (before) => ({
        ...before,
        ...(keepsPage ? {} : { before: undefined, record: undefined }),
        ...change,
      }),
      resetScroll: !keepsPage,
    });
  const refresh = (): void => {
    if (search.before !== undefined) set({});
    else void page.refetch();
  };
  useShortcuts("Audit log", [
    { keys: "r", label: "Look again", run: refresh },
    {
      keys: "/",
      label: "Filter",
      run: () => document.querySelector<HTMLElement>(".audit-filter input")?.focus(),
    },
  ]);
  const opened = page.data?.records.find(({ seq }) => seq === search.record);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Audit log</h1>
        <div className="page-actions">
          <button type="button" className="button quiet" onClick={refresh} disabled={!may}>
            <Icon name="refresh" /> Look again
          </button>
          <Menu label="Copy as" icon={<Icon name="copy" />} className="button quiet">
            <MenuItem onSelect={() => give(auditCommand(search, shellWord), "the command")}>
              longtide command
            </MenuItem>
            <MenuItem onSelect={() => give(location.href, "the link")}>Link to this view</MenuItem>
          </Menu>
          <button
            type="button"
            className="icon-button bordered"
            aria-label="Download this page as JSON"
            title="Download this page as JSON"
            disabled={!may}
            onClick={() =>
              download("audit.json", JSON.stringify(page.data?.records ?? [], null, 2))
            }
          >
            <Icon name="download" />
          </button>
        </div>
      </header>
      <Filters key={JSON.stringify(search)} search={search} onChange={set} />
      {isKnown && !isKept ? (
        <EmptyState icon="log" title="This server keeps no audit log">
          It does when its configuration has a section <code>audit</code> with a{" "}
          <code>directory</code>.
        </EmptyState>
      ) : isKnown && !may ? (
        <EmptyState icon="key" title="The audit log is not open to you here">
          <p>{refused}</p>
          {search.namespace === undefined && (
            <button type="button" className="button" onClick={() => set({ namespace: last })}>
              Show what is about {last}
            </button>
          )}
        </EmptyState>
      ) : (
        <Loaded query={page}>
          {(data) => (
            <>
              {onlyIn !== undefined && (
                <p className="faint">What is about the namespace {search.namespace}.</p>
              )}
              {data === null || data.records.length === 0 ? (
                <EmptyState
                  icon="search"
                  title={data?.nextPageToken ? "Nothing so far" : "No record fits"}
                >
                  {data?.nextPageToken &&
                    "As much was looked through as is at once; there is more that is older."}
                </EmptyState>
              ) : (
                <Records
                  records={data.records}
                  stale={page.isPlaceholderData}
                  onFilter={set}
                  onOpen={(record) => set({ record }, true)}
                />
              )}
              <nav className="pages" aria-label="Pages">
                <button
                  type="button"
                  className="button"
                  disabled={search.before === undefined}
                  onClick={() => set({})}
                >
                  <Icon name="left" /> Latest
                </button>
                <button
                  type="button"
                  className="button"
                  disabled={!data?.nextPageToken}
                  onClick={() => set({ before: Number(data?.nextPageToken) })}
                >
                  Older <Icon name="right" />
                </button>
              </nav>
            </>
          )}
        </Loaded>
      )}
      {opened && <RecordDialog record={opened} onClose={() => set({ record: undefined }, true)} />}
    </div>
  );
}

function give(text: string, what: string): void {
  copy(text).then(
    () => toast({ kind: "good", title: `Copied ${what}`, detail: <code>{text}</code> }),
    () => toast({ kind: "bad", title: "The browser did not let this page copy" }),
  );
}

const LABELS: Record<(typeof TEXTS)[number], [string, string]> = {
  principal: ["Who", "alice"],
  rpc: ["Method", "TerminateWorkflowExecution"],
  namespace: ["Namespace", "default"],
  target: ["Named in the request", "order-7"],
  outcome: ["Outcome", "NOT_FOUND"],
};

function Filters({
  search,
  onChange,
}: {
  search: AuditSearch;
  onChange: (change: Partial<AuditSearch>) => void;
}) {
  const [typed, setTyped] = useState(search);
  const edit = (change: Partial<AuditSearch>): void => setTyped((was) => ({ ...was, ...change }));
  const input = (name: (typeof TEXTS)[number] | "since" | "until", label: string, hint: string) => {
    const value = typed[name] ?? "";
    const isTime = name === "since" || name === "until";
    const wrong = isTime && value !== "" && pointInTime(value, Date.now()) === undefined;
    return (
      <Field key={name} label={label} error={wrong ? "as 1h or 2026-11-22T10:00" : undefined}>
        {(props) => (
          <input
            {...props}
            className="input"
            spellCheck={false}
            autoComplete="off"
            placeholder={hint}
            value={value}
            onChange={(event) => edit({ [name]: event.target.value })}
          />
        )}
      </Field>
    );
  };
  return (
    <form
      className="card audit-filter"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        const texts = [...TEXTS, "since", "until"] as const;
        const trimmed = texts.map((name) => [name, typed[name]?.trim() || undefined]);
        onChange({ ...Object.fromEntries(trimmed), decision: typed.decision, all: typed.all });
      }}
    >
      <div className="audit-fields">
        {TEXTS.map((name) => input(name, ...LABELS[name]))}
        <Field label="Decision">
          {(props) => (
            <select
              {...props}
              className="input"
              value={typed.decision ?? ""}
              onChange={(event) =>
                edit({ decision: DECISIONS.find((known) => known === event.target.value) })
              }
            >
              <option value="">any</option>
              {DECISIONS.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {input("since", "Since", "1h, or a time in UTC")}
        {input("until", "Until", "a time in UTC")}
      </div>
      <div className="row">
        <label className="check">
          <input
            type="checkbox"
            checked={typed.all === true}
            onChange={(event) => edit({ all: event.target.checked || undefined })}
          />{" "}
          Also what the log says of itself
        </label>
        <span className="spacer" />
        <button type="button" className="button" onClick={() => onChange(NOTHING)}>
          Clear
        </button>
        <button type="submit" className="button primary">
          Look
        </button>
      </div>
    </form>
  );
}

const NOTHING: Partial<AuditSearch> = {
  ...Object.fromEntries(TEXTS.map((name) => [name, undefined])),
  decision: undefined,
  since: undefined,
  until: undefined,
  all: undefined,
};

const LOOKS: Record<string, [string, IconName]> = {
  allowed: ["good", "check"],
  denied: ["bad", "slash"],
  unauthenticated: ["warn", "key"],
};

export function DecisionTag({ decision }: { decision: string | undefined }) {
  if (decision === undefined) return null;
  const [tone, icon] = LOOKS[decision] ?? (["calm", "dot"] as const);
  return (
    <span className={`status ${tone}`} data-decision={decision}>
      <Icon name={icon} size={11} />
      {decision}
    </span>
  );
}

function Records({
  records,
  stale,
  onFilter,
  onOpen,
}: {
  records: AuditRecord[];
  stale: boolean;
  onFilter: (change: Partial<AuditSearch>) => void;
  onOpen: (seq: number) => void;
}) {
  const [current, setCurrent] = useState(-1);
  const move = (by: number): void => {
    const next = Math.max(0, Math.min(records.length - 1, current + by));
    setCurrent(next);
    document.querySelectorAll<HTMLElement>(".audit-table .record-link")[next]?.focus();
  };
  useEffect(() => setCurrent((was) => Math.min(was, records.length - 1)), [records.length]);
  useShortcuts("Records", [
    { keys: "j", label: "Next record", run: () => move(1) },
    { keys: "k", label: "Record before", run: () => move(-1) },
  ]);
  return (
    <div ref={focusableWhenScrolling} className="table-frame" data-stale={stale || undefined}>
      <table className="table audit-table">
        <caption className="visually-hidden">Records, the latest first</caption>
        <thead>
          <tr>
            <th scope="col">Record</th>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Did what</th>
            <th scope="col">Namespace</th>
            <th scope="col">To what</th>
            <th scope="col">Decision</th>
            <th scope="col">Because of</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {records.map((record, at) => (
            <tr key={record.seq} onFocus={() => setCurrent(at)}>
              <td>
                <button
                  type="button"
                  className="link-button record-link"
                  aria-haspopup="dialog"
                  aria-label={`Record ${record.seq}`}
                  onClick={() => onOpen(record.seq)}
                >
                  {record.seq}
                </button>
              </td>
              <td>
                <Time value={record.time} />
              </td>
              <td>
                {record.principal && <Who principal={record.principal} onFilter={onFilter} />}
              </td>
              <td>
                {record.rpc ?? record.kind.replaceAll("_", " ")}
                {record.count !== undefined && <span className="faint"> × {record.count}</span>}
              </td>
              <td>{record.namespace}</td>
              <td>
                <Target record={record} />
              </td>
              <td>
                <DecisionTag decision={record.decision} />
              </td>
              <td className="audit-rule">{record.rule}</td>
              <td>{record.outcome}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Who({
  principal: { kind, name },
  onFilter,
}: {
  principal: { kind: string; name?: string };
  onFilter: (change: Partial<AuditSearch>) => void;
}) {
  if (name === undefined) return <span className="faint">{kind}</span>;
  return (
    <>
      <button
        type="button"
        className="link-button"
        title={`Only what ${name} did`}
        onClick={() => onFilter({ principal: name })}
      >
        {name}
      </button>{" "}
      <span className="faint">{kind}</span>
    </>
  );
}

/** The first thing that the request named; all of it is in the record's details. */
function Target({ record: { target = {}, namespace } }: { record: AuditRecord }) {
  const { workflow_id: workflowId, run_id: runId } = target;
  if (workflowId !== undefined && namespace !== undefined) {
    return runId === undefined ? (
      <Link
        to="/namespaces/$namespace/workflows/$workflowId"
        params={{ namespace, workflowId }}
        className="mono"
      >
        {workflowId}
      </Link>
    ) : (
      <Link
        to="/namespaces/$namespace/workflows/$workflowId/$runId"
        params={{ namespace, workflowId, runId }}
        className="mono"
      >
        {workflowId}
      </Link>
    );
  }
  const [first] = Object.entries(target).filter(([what]) => what !== "identity");
  if (first === undefined) return null;
  return (
    <span className="mono" title={first[0]}>
      {first[1]}
    </span>
  );
}
