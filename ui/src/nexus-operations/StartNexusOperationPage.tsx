import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { IDENTITY, post, within } from "../api/http";
import { FormPage } from "../kit/Submission";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { endpointsQuery } from "../nexus/queries";
import { startNexusOperationRoute } from "../router";
import { ArgumentsField } from "../workflows/actions/ArgumentsField";
import { newId } from "../workflows/actions/api";
import { emptyArgument, inputWords } from "../workflows/actions/arguments";
import { cli } from "../workflows/actions/commands";
import { IdField, IdPolicyFields } from "../workflows/actions/IdFields";
import { sent } from "../workflows/actions/sent";
import {
  durationOf,
  durationProblem,
  flag,
  noneOf,
  objectProblem,
  payloadMap,
  textPayload,
} from "../workflows/actions/written";

const EMPTY = {
  operationId: "",
  endpoint: "",
  service: "",
  operation: "",
  scheduleToClose: "",
  scheduleToStart: "",
  startToClose: "",
  reuse: "",
  conflict: "",
  searchAttributes: "",
  summary: "",
};
type Form = typeof EMPTY;

/** Starts a Nexus operation that no workflow waits for. */
export function StartNexusOperationPage() {
  const { namespace } = startNexusOperationRoute.useParams();
  const navigate = useNavigate();
  const endpoints = useQuery(endpointsQuery);
  const [form, setForm] = useState<Form>(() => ({ ...EMPTY, operationId: newId() }));
  const [args, setArgs] = useState([emptyArgument()]);
  const set = (change: Partial<Form>): void => setForm((before) => ({ ...before, ...change }));
  const problems: Record<string, string | undefined> = {
    scheduleToClose: durationProblem(form.scheduleToClose),
    scheduleToStart: durationProblem(form.scheduleToStart),
    startToClose: durationProblem(form.startToClose),
    searchAttributes: objectProblem(form.searchAttributes),
    args: args.length > 1 ? "An operation has one input." : undefined,
  };
  const text = (
    key: keyof Form,
    label: string,
    more: { hint?: string; required?: boolean; list?: string } = {},
  ) => (
    <TextField
      label={label}
      {...more}
      error={problems[key]}
      value={form[key]}
      onChange={(value) => set({ [key]: value })}
    />
  );
  return (
    <div className="page narrow">
      <header className="page-header">
        <h1>Start a Nexus operation</h1>
      </header>
      <FormPage
        submit="Start operation"
        ready={noneOf(...Object.values(problems))}
        cli={cli(
          "nexus",
          "operation",
          "start",
          "-n",
          namespace,
          "--operation-id",
          form.operationId,
          "--endpoint",
          form.endpoint || "ENDPOINT",
          "--service",
          form.service || "SERVICE",
          "--operation",
          form.operation || "OPERATION",
          ...flag("--schedule-to-close-timeout", form.scheduleToClose),
          ...flag("--schedule-to-start-timeout", form.scheduleToStart),
          ...flag("--start-to-close-timeout", form.startToClose),
          ...inputWords(args),
        )}
        run={async () => {
          const [input] = await sent(namespace, args);
          return post<{ runId?: string }>(within(namespace, "nexus-operations", form.operationId), {
            endpoint: form.endpoint,
            service: form.service,
            operation: form.operation,
            input,
            scheduleToCloseTimeout: durationOf(form.scheduleToClose),
            scheduleToStartTimeout: durationOf(form.scheduleToStart),
            startToCloseTimeout: durationOf(form.startToClose),
            idReusePolicy: form.reuse || undefined,
            idConflictPolicy: form.conflict || undefined,
            searchAttributes:
              form.searchAttributes.trim() === ""
                ? undefined
                : { indexedFields: payloadMap(form.searchAttributes) },
            userMetadata: form.summary === "" ? undefined : { summary: textPayload(form.summary) },
            identity: IDENTITY,
            requestId: newId(),
          });
        }}
        done={({ runId = "" }) => {
          toast({ kind: "good", title: `${form.operationId} was started` });
          void navigate({
            to: "/namespaces/$namespace/nexus-operations/$operationId/$runId",
            params: { namespace, operationId: form.operationId, runId },
          });
        }}
      >
        <IdField
          label="Operation id"
          value={form.operationId}
          onChange={(operationId) => set({ operationId })}
        />
        {text("endpoint", "Endpoint", { required: true, list: "known-endpoints" })}
        <datalist id="known-endpoints">
          {endpoints.data?.endpoints?.map(({ id, spec }) => (
            <option key={id}>{spec?.name}</option>
          ))}
        </datalist>
        <div className="field-row">
          {text("service", "Service", { required: true })}
          {text("operation", "Operation", { required: true })}
        </div>
        <ArgumentsField args={args} onChange={setArgs} />
        {problems.args !== undefined && <p className="hint bad">{problems.args}</p>}
        <details>
          <summary>More options</summary>
          <div className="field-row">
            {text("scheduleToClose", "It may take in all", { hint: "as 90s or 1h30m" })}
            {text("scheduleToStart", "Until it has begun", { hint: "at most" })}
            {text("startToClose", "Once it has begun", { hint: "at most" })}
          </div>
          <IdPolicyFields
            kind="NEXUS_OPERATION"
            reuse={form.reuse}
            conflict={form.conflict}
            onReuse={(reuse) => set({ reuse })}
            onConflict={(conflict) => set({ conflict })}
          />
          {text("summary", "Summary")}
          {text("searchAttributes", "Search attributes", {
            hint: "a JSON object; the names must be registered",
          })}
        </details>
      </FormPage>
    </div>
  );
}
