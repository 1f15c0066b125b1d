import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { IDENTITY, post, within } from "../api/http";
import { FormPage } from "../kit/Submission";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { startActivityRoute } from "../router";
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
  activityId: "",
  type: "",
  taskQueue: "",
  startToClose: "1m",
  scheduleToClose: "",
  scheduleToStart: "",
  heartbeat: "",
  attempts: "",
  reuse: "",
  conflict: "",
  searchAttributes: "",
  summary: "",
  details: "",
};
type Form = typeof EMPTY;

const attemptsProblem = (text: string): string | undefined =>
  /^\d{0,9}$/.test(text.trim()) ? undefined : "a whole number; 0 or nothing for no limit";

/** Starts an activity that no workflow runs. */
export function StartActivityPage() {
  const { namespace } = startActivityRoute.useParams();
  const navigate = useNavigate();
  const [form, setForm] = useState<Form>(() => ({ ...EMPTY, activityId: newId() }));
  const [args, setArgs] = useState([emptyArgument()]);
  const set = (change: Partial<Form>): void => setForm((before) => ({ ...before, ...change }));
  const timed = form.startToClose.trim() !== "" || form.scheduleToClose.trim() !== "";
  const problems: Partial<Form> & Record<string, string | undefined> = {
    startToClose: timed
      ? durationProblem(form.startToClose)
      : "Say how long an attempt, or all of them, may take.",
    scheduleToClose: durationProblem(form.scheduleToClose),
    scheduleToStart: durationProblem(form.scheduleToStart),
    heartbeat: durationProblem(form.heartbeat),
    attempts: attemptsProblem(form.attempts),
    searchAttributes: objectProblem(form.searchAttributes),
  };
  const text = (
    key: keyof Form,
    label: string,
    more: { hint?: string; required?: boolean } = {},
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
        <h1>Start an activity</h1>
      </header>
      <FormPage
        submit="Start activity"
        ready={noneOf(...Object.values(problems))}
        cli={cli(
          "activity",
          "start",
          "-n",
          namespace,
          "--activity-id",
          form.activityId,
          "--type",
          form.type || "TYPE",
          "--task-queue",
          form.taskQueue || "QUEUE",
          ...flag("--start-to-close-timeout", form.startToClose),
          ...flag("--schedule-to-close-timeout", form.scheduleToClose),
          ...flag("--schedule-to-start-timeout", form.scheduleToStart),
          ...flag("--heartbeat-timeout", form.heartbeat),
          ...flag("--retry-maximum-attempts", form.attempts),
          ...inputWords(args),
        )}
        run={async () =>
          post<{ runId?: string }>(within(namespace, "activities", form.activityId), {
            activityType: { name: form.type },
            taskQueue: { name: form.taskQueue },
            input: { payloads: await sent(namespace, args) },
            startToCloseTimeout: durationOf(form.startToClose),
            scheduleToCloseTimeout: durationOf(form.scheduleToClose),
            scheduleToStartTimeout: durationOf(form.scheduleToStart),
            heartbeatTimeout: durationOf(form.heartbeat),
            retryPolicy:
              form.attempts.trim() === "" ? undefined : { maximumAttempts: Number(form.attempts) },
            idReusePolicy: form.reuse || undefined,
            idConflictPolicy: form.conflict || undefined,
            searchAttributes:
              form.searchAttributes.trim() === ""
                ? undefined
                : { indexedFields: payloadMap(form.searchAttributes) },
            userMetadata: {
              summary: textPayload(form.summary),
              details: textPayload(form.details),
            },
            identity: IDENTITY,
            requestId: newId(),
          })
        }
        done={({ runId = "" }) => {
          toast({ kind: "good", title: `${form.activityId} was started` });
          void navigate({
            to: "/namespaces/$namespace/activities/$activityId/$runId",
            params: { namespace, activityId: form.activityId, runId },
          });
        }}
      >
        <IdField
          label="Activity id"
          value={form.activityId}
          onChange={(activityId) => set({ activityId })}
        />
        <div className="field-row">
          {text("type", "Type", { required: true })}
          {text("taskQueue", "Task queue", { required: true })}
        </div>
        <ArgumentsField args={args} onChange={setArgs} />
        <div className="field-row">
          {text("startToClose", "An attempt may take", { hint: "as 90s or 1h30m" })}
          {text("scheduleToClose", "All attempts may take", { hint: "as 90s or 1h30m" })}
        </div>
        <details>
          <summary>More options</summary>
          <div className="field-row">
            {text("scheduleToStart", "Wait for a worker", { hint: "at most" })}
            {text("heartbeat", "Silence of the worker", { hint: "at most" })}
            {text("attempts", "Attempts", { hint: "at most" })}
          </div>
          <IdPolicyFields
            kind="ACTIVITY"
            reuse={form.reuse}
            conflict={form.conflict}
            onReuse={(reuse) => set({ reuse })}
            onConflict={(conflict) => set({ conflict })}
          />
          {text("summary", "Summary")}
          {text("details", "Details", { hint: "Markdown" })}
          {text("searchAttributes", "Search attributes", {
            hint: "a JSON object; the names must be registered",
          })}
        </details>
      </FormPage>
    </div>
  );
}
