import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { get, within } from "../../api/http";
import type { HistoryPage } from "../../api/types";
import { FormPage } from "../../kit/Submission";
import { ErrorState, Skeleton } from "../../kit/states";
import { TextField } from "../../kit/TextField";
import { toast } from "../../kit/toasts";
import { decode, payloadsIn, stringFrom } from "../../payloads/decode";
import { prettyJson } from "../../payloads/json";
import { startWorkflowRoute } from "../../router";
import { useNamespace } from "../../shell/useNamespace";
import { attributesOf, textAt } from "../history/events";
import { ArgumentsField } from "./ArgumentsField";
import { newId, startWorkflow } from "./api";
import { type Argument, emptyArgument, inputWords } from "./arguments";
import { cli } from "./commands";
import { IdField, IdPolicyFields } from "./IdFields";
import { sent } from "./sent";
import {
  durationOf,
  durationProblem,
  noneOf,
  objectProblem,
  payloadMap,
  textPayload,
} from "./written";

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

type TextKey = Exclude<keyof Form, "args">;

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

function StartForm({ initial }: { initial: Form }) {
  const namespace = useNamespace();
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const set = (change: Partial<Form>): void => setForm((before) => ({ ...before, ...change }));
  const problems = {
    executionTimeout: durationProblem(form.executionTimeout),
    startDelay: durationProblem(form.startDelay),
    memo: objectProblem(form.memo),
    searchAttributes: objectProblem(form.searchAttributes),
  };
  const text = (key: TextKey, label: string, more: { hint?: string; required?: boolean } = {}) => (
    <TextField
      label={label}
      {...more}
      error={problems[key as keyof typeof problems]}
      value={form[key]}
      onChange={(value) => set({ [key]: value })}
    />
  );
  return (
    <FormPage
      submit="Start workflow"
      action="start"
      ready={noneOf(...Object.values(problems))}
      cli={cli(
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
        ...inputWords(form.args),
      )}
      run={async () =>
        startWorkflow(namespace, {
          workflowId: form.workflowId,
          type: form.type,
          taskQueue: form.taskQueue,
          input: await sent(namespace, form.args),
          reusePolicy: form.reusePolicy || undefined,
          conflictPolicy: form.conflictPolicy || undefined,
          executionTimeout: durationOf(form.executionTimeout),
          startDelay: durationOf(form.startDelay),
          memo: payloadMap(form.memo),
          searchAttributes: payloadMap(form.searchAttributes),
          summary: textPayload(form.summary),
          details: textPayload(form.details),
        })
      }
      done={({ runId }) => {
        toast({ kind: "good", title: `${form.workflowId} was started` });
        void navigate({
          to: "/namespaces/$namespace/workflows/$workflowId/$runId",
          params: { namespace, workflowId: form.workflowId, runId: runId ?? "" },
        });
      }}
    >
      <IdField
        label="Workflow id"
        value={form.workflowId}
        onChange={(workflowId) => set({ workflowId })}
      />
      <div className="field-row">
        {text("type", "Type", { required: true })}
        {text("taskQueue", "Task queue", { required: true })}
      </div>
      <ArgumentsField args={form.args} onChange={(args) => set({ args })} />
      <details>
        <summary>More options</summary>
        <IdPolicyFields
          kind="WORKFLOW"
          reuse={form.reusePolicy}
          conflict={form.conflictPolicy}
          onReuse={(reusePolicy) => set({ reusePolicy })}
          onConflict={(conflictPolicy) => set({ conflictPolicy })}
        />
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
    </FormPage>
  );
}
