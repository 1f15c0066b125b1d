import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { get, within } from "../../api/http";
import type { HistoryPage } from "../../api/types";
import { CommandsMenu } from "../../kit/CommandsMenu";
import { Field } from "../../kit/Field";
import { ErrorState, Skeleton } from "../../kit/states";
import { toast } from "../../kit/toasts";
import { encoded } from "../../payloads/codec";
import { decode, jsonPayload, payloadsIn, stringFrom } from "../../payloads/decode";
import { prettyJson } from "../../payloads/json";
import { startWorkflowRoute } from "../../router";
import { useNamespace } from "../../shell/Layout";
import { parseDuration } from "../../time/format";
import { attributesOf, textAt } from "../history/events";
import { ArgumentsField } from "./ArgumentsField";
import { newId, startWorkflow } from "./api";
import { type Argument, emptyArgument, firstError, payloadsOf } from "./arguments";
import { cli } from "./commands";

interface Form {
  workflowId: string;
  type: string;
  taskQueue: string;
  args: Argument[];
  reusePolicy: string;
  conflictPolicy: string;
  executionTimeout: string;
  startDelay: string;
  memo: string;
  searchAttributes: string;
  summary: string;
  details: string;
}

const EMPTY = (): Form => ({
  workflowId: newId(),
  type: "",
  taskQueue: "",
  args: [emptyArgument()],
  reusePolicy: "",
  conflictPolicy: "",
  executionTimeout: "",
  startDelay: "",
  memo: "",
  searchAttributes: "",
  summary: "",
  details: "",
});

const REUSE = [
  ["", "As the server does"],
  ["WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE", "Always"],
  ["WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY", "If the one before failed"],
  ["WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE", "Never"],
] as const;
const CONFLICT = [
  ["", "As the server does"],
  ["WORKFLOW_ID_CONFLICT_POLICY_FAIL", "Refuse"],
  ["WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING", "Use the open one"],
  ["WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING", "Terminate the open one"],
] as const;

/** Starts a workflow; `like` fills in the form from another run. */
export function StartPage() {
  const { namespace } = startWorkflowRoute.useParams();
  const { like, run } = startWorkflowRoute.useSearch();
  const source = useQuery({
    queryKey: ["start-like", namespace, like, run],
    enabled: like !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const page = await get<HistoryPage>(within(namespace, "workflows", like ?? "", "history"), {
        query: { "execution.runId": run, maximumPageSize: 1 },
        signal,
      });
      const [started] = page.history?.events ?? [];
      if (!started) throw new Error("the history of that run is empty");
      const attributes = attributesOf(started);
      const payloads = payloadsIn(attributes.input) ?? [];
      const form: Form = {
        ...EMPTY(),
        type: textAt(attributes, "workflowType", "name") ?? "",
        taskQueue: textAt(attributes, "taskQueue", "name") ?? "",
        args: payloads.map((payload) => {
          const decoded = decode(payload);
          return {
            text:
              decoded.kind === "json"
                ? prettyJson(decoded.text)
                : decoded.kind === "null"
                  ? "null"
                  : "",
            encoding: decoded.encoding === "json/protobuf" ? "json/protobuf" : "json/plain",
          };
        }),
        summary: stringFrom(started.userMetadata?.summary) ?? "",
        details: stringFrom(started.userMetadata?.details) ?? "",
      };
      if (form.args.length === 0) form.args = [emptyArgument()];
      return form;
    },
  });
  return (
    <div className="page narrow">
      <header className="page-header">
        <h1>Start a workflow</h1>
      </header>
      {like === undefined ? (
        <StartForm initial={EMPTY()} />
      ) : source.data ? (
        <StartForm initial={source.data} />
      ) : source.error ? (
        <ErrorState error={source.error} />
      ) : (
        <Skeleton />
      )}
    </div>
  );
}

/** An object whose values become payloads. */
function payloadMap(text: string, what: string) {
  if (text.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${what}: no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${what}: must be an object`);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, jsonPayload(JSON.stringify(one))]),
  );
}

function durationOf(text: string, what: string): string | undefined {
  if (text.trim() === "") return undefined;
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new Error(`${what}: \`${text}\` is no duration, as 90s or 1h30m`);
  return duration;
}

function StartForm({ initial }: { initial: Form }) {
  const namespace = useNamespace();
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const set = (change: Partial<Form>): void => setForm((before) => ({ ...before, ...change }));
  const start = useMutation({
    mutationFn: async () => {
      const error = firstError(form.args);
      if (error !== undefined) throw new Error(error);
      const executionTimeout = durationOf(form.executionTimeout, "execution time-out");
      const startDelay = durationOf(form.startDelay, "start delay");
      const memo = payloadMap(form.memo, "memo");
      const searchAttributes = payloadMap(form.searchAttributes, "search attributes");
      return startWorkflow(namespace, {
        workflowId: form.workflowId,
        type: form.type,
        taskQueue: form.taskQueue,
        input: await encoded(namespace, payloadsOf(form.args)),
        ...(form.reusePolicy === "" ? {} : { reusePolicy: form.reusePolicy }),
        ...(form.conflictPolicy === "" ? {} : { conflictPolicy: form.conflictPolicy }),
        ...(executionTimeout === undefined ? {} : { executionTimeout }),
        ...(startDelay === undefined ? {} : { startDelay }),
        ...(memo ? { memo } : {}),
        ...(searchAttributes ? { searchAttributes } : {}),
        ...(form.summary === "" ? {} : { summary: jsonPayload(JSON.stringify(form.summary)) }),
        ...(form.details === "" ? {} : { details: jsonPayload(JSON.stringify(form.details)) }),
      });
    },
    onSuccess: ({ runId }) => {
      toast({ kind: "good", title: `${form.workflowId} was started` });
      void navigate({
        to: "/namespaces/$namespace/workflows/$workflowId/$runId",
        params: { namespace, workflowId: form.workflowId, runId: runId ?? "" },
      });
    },
  });
  const text = (
    key: keyof Form,
    label: string,
    more: { hint?: string; required?: boolean } = {},
  ) => (
    <Field label={label} hint={more.hint}>
      {(props) => (
        <input
          {...props}
          className="input"
          required={more.required}
          spellCheck={false}
          value={form[key] as string}
          onChange={(event) => set({ [key]: event.target.value })}
        />
      )}
    </Field>
  );
  const choice = (
    key: "reusePolicy" | "conflictPolicy",
    label: string,
    options: readonly (readonly [string, string])[],
  ) => (
    <Field label={label}>
      {(props) => (
        <select
          {...props}
          className="input"
          value={form[key]}
          onChange={(event) => set({ [key]: event.target.value })}
        >
          {options.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  const command = cli(
    "workflow",
    "start",
    "-n",
    namespace,
    "-w",
    form.workflowId,
    "--type",
    form.type || "TYPE",
    "-t",
    form.taskQueue || "QUEUE",
    ...form.args
      .filter(({ text: one }) => one.trim() !== "")
      .flatMap(({ text: one }) => ["-i", one]),
  );
  return (
    <form
      className="form card"
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <div className="field-row">
        {text("workflowId", "Workflow id", { required: true })}
        <button type="button" className="button" onClick={() => set({ workflowId: newId() })}>
          Random
        </button>
      </div>
      <div className="field-row">
        {text("type", "Type", { required: true })}
        {text("taskQueue", "Task queue", { required: true })}
      </div>
      <ArgumentsField args={form.args} onChange={(args) => set({ args })} />
      <details>
        <summary>More options</summary>
        <div className="field-row">
          {choice("reusePolicy", "The id was used before", REUSE)}
          {choice("conflictPolicy", "The id is in use", CONFLICT)}
        </div>
        <div className="field-row">
          {text("executionTimeout", "Execution time-out", { hint: "as 90s or 1h30m" })}
          {text("startDelay", "Start delay", { hint: "as 90s or 1h30m" })}
        </div>
        {text("summary", "Summary")}
        {text("details", "Details", { hint: "Markdown" })}
        {text("memo", "Memo", { hint: 'a JSON object, as {"customer": "c-1"}' })}
        {text("searchAttributes", "Search attributes", {
          hint: "a JSON object; the names must be registered",
        })}
      </details>
      {start.error && (
        <p className="note bad" role="alert">
          {start.error.message}
        </p>
      )}
      <footer className="form-footer">
        <CommandsMenu commands={{ cli: command }} />
        <button type="submit" className="button primary" disabled={start.isPending}>
          {start.isPending ? "Starting…" : "Start workflow"}
        </button>
      </footer>
    </form>
  );
}
