import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ChoiceField } from "../kit/ChoiceField";
import { Code } from "../kit/Code";
import { Field } from "../kit/Field";
import { FormError } from "../kit/FormError";
import { Icon } from "../kit/icons";
import { Loaded } from "../kit/states";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { encoded } from "../payloads/codec";
import { editScheduleRoute, newScheduleRoute } from "../router";
import { ArgumentsField } from "../workflows/actions/ArgumentsField";
import { createSchedule, scheduleQuery, updateSchedule } from "./api";
import { describeCalendar } from "./describe";
import { buildSchedule, emptyForm, formFrom, OVERLAP, type ScheduleForm } from "./form";
import type { Schedule } from "./types";

export function NewSchedulePage() {
  const { namespace } = newScheduleRoute.useParams();
  return (
    <div className="page narrow">
      <header className="page-header">
        <h1>Create a schedule</h1>
      </header>
      <Form namespace={namespace} initial={emptyForm()} />
    </div>
  );
}

export function EditSchedulePage() {
  const { namespace, scheduleId } = editScheduleRoute.useParams();
  // What was there when the form was opened; the token says if that has changed.
  const schedule = useQuery({ ...scheduleQuery(namespace, scheduleId), refetchInterval: false });
  return (
    <div className="page narrow">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/schedules/$scheduleId" params={{ namespace, scheduleId }}>
          {scheduleId}
        </Link>
      </nav>
      <header className="page-header">
        <h1>Edit the schedule</h1>
      </header>
      <Loaded query={schedule}>
        {(described) => (
          <Form
            namespace={namespace}
            initial={formFrom(scheduleId, described.schedule ?? {})}
            before={described.schedule}
            conflictToken={described.conflictToken}
          />
        )}
      </Loaded>
    </div>
  );
}

function Form({
  namespace,
  initial,
  before,
  conflictToken,
}: {
  namespace: string;
  initial: ScheduleForm;
  before?: Schedule | undefined;
  conflictToken?: string | undefined;
}) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [first] = useState({ before, conflictToken });
  const [form, setForm] = useState(initial);
  const [calendars, setCalendars] = useState(before?.spec?.structuredCalendar ?? []);
  const set = (change: Partial<ScheduleForm>): void => setForm((was) => ({ ...was, ...change }));
  const preview = useMemo(() => {
    try {
      return { schedule: buildSchedule(form, first.before, calendars) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }, [form, first, calendars]);
  const save = useMutation({
    mutationFn: async () => {
      const schedule = buildSchedule(form, first.before, calendars);
      const action = schedule.action?.startWorkflow;
      const changed = JSON.stringify(form.args) !== JSON.stringify(initial.args);
      if (action && (changed || !first.before)) {
        action.input = { payloads: await encoded(namespace, action.input?.payloads ?? []) };
      } else if (action && first.before?.action?.startWorkflow?.input) {
        // As it was, in the bytes that it had.
        action.input = first.before.action.startWorkflow.input;
      }
      if (first.before) {
        await updateSchedule(namespace, form.scheduleId, schedule, first.conflictToken);
      } else {
        await createSchedule(namespace, form.scheduleId, schedule);
      }
    },
    onSuccess: () => {
      toast({
        kind: "good",
        title: first.before ? "The schedule was changed" : "The schedule was created",
      });
      void client.invalidateQueries({ queryKey: ["schedule", namespace, form.scheduleId] });
      void navigate({
        to: "/namespaces/$namespace/schedules/$scheduleId",
        params: { namespace, scheduleId: form.scheduleId },
      });
    },
  });
  const text = (
    key: keyof ScheduleForm,
    label: string,
    more: { hint?: string; required?: boolean; disabled?: boolean; placeholder?: string } = {},
  ) => (
    <TextField
      label={label}
      hint={more.hint}
      required={more.required}
      disabled={more.disabled}
      placeholder={more.placeholder}
      value={form[key] as string}
      onChange={(text) => set({ [key]: text })}
    />
  );
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <section className="card">
        <h2>What to start</h2>
        {text("scheduleId", "Schedule id", {
          required: true,
          disabled: first.before !== undefined,
        })}
        <div className="field-row">
          {text("type", "Workflow type", { required: true })}
          {text("taskQueue", "Task queue", { required: true })}
        </div>
        {text("workflowId", "Workflow id", {
          required: true,
          hint: "The time of the start is added to it.",
        })}
        <ArgumentsField args={form.args} onChange={(args) => set({ args })} />
      </section>
      <section className="card">
        <h2>When</h2>
        {calendars.length > 0 && (
          <ul className="plain">
            {calendars.map((calendar, at) => (
              <li key={at} className="row">
                {calendar.comment || describeCalendar(calendar)}
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`Remove: ${describeCalendar(calendar)}`}
                  onClick={() => setCalendars(calendars.filter((_, other) => other !== at))}
                >
                  <Icon name="cross" />
                </button>
              </li>
            ))}
          </ul>
        )}
        {form.intervals.map((interval, at) => (
          <div key={at} className="field-row">
            <TextField
              label="Every"
              hint="as 90s, 1h30m or 1d"
              value={interval.every}
              onChange={(text) =>
                set({
                  intervals: form.intervals.map((one, other) =>
                    other === at ? { ...one, every: text } : one,
                  ),
                })
              }
            />
            <TextField
              label="Shifted by"
              value={interval.offset}
              onChange={(text) =>
                set({
                  intervals: form.intervals.map((one, other) =>
                    other === at ? { ...one, offset: text } : one,
                  ),
                })
              }
            />
            <button
              type="button"
              className="icon-button"
              aria-label={`Remove the interval ${interval.every}`}
              onClick={() => set({ intervals: form.intervals.filter((_, other) => other !== at) })}
            >
              <Icon name="cross" />
            </button>
          </div>
        ))}
        <button
          type="button"
          className="link-button"
          onClick={() => set({ intervals: [...form.intervals, { every: "", offset: "" }] })}
        >
          Add an interval
        </button>
        <Field label="Cron strings" hint="one a line, as 30 8 * * MON-FRI">
          {(props) => (
            <textarea
              {...props}
              className="input mono"
              rows={2}
              value={form.crons}
              onChange={(event) => set({ crons: event.target.value })}
            />
          )}
        </Field>
        <div className="field-row">
          {text("timezone", "Time zone", { placeholder: "UTC", hint: "as Europe/Berlin" })}
          {text("jitter", "Jitter", { hint: "starts are spread over this" })}
        </div>
        <div className="field-row">
          {text("startTime", "Not before", { placeholder: "2026-01-31T08:00:00Z" })}
          {text("endTime", "Not after", { placeholder: "2026-12-31T08:00:00Z" })}
        </div>
      </section>
      <section className="card">
        <h2>Policies</h2>
        <ChoiceField
          label="If the one before is open"
          value={form.overlap}
          choices={OVERLAP}
          onChange={(overlap) => set({ overlap })}
        />
        <div className="field-row">
          {text("catchup", "Catch-up window", {
            hint: "what was missed while the server was away",
          })}
          {text("limited", "Actions left", { hint: "empty: no limit" })}
        </div>
        {text("executionTimeout", "Execution time-out of the workflows")}
        {text("memo", "Memo of the workflows", { hint: "a JSON object" })}
        {text("notes", "Notes")}
        <label className="check">
          <input
            type="checkbox"
            checked={form.pauseOnFailure}
            onChange={(event) => set({ pauseOnFailure: event.target.checked })}
          />{" "}
          Pause when a workflow fails
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={form.paused}
            onChange={(event) => set({ paused: event.target.checked })}
          />{" "}
          Paused
        </label>
      </section>
      <details className="card">
        <summary>As JSON</summary>
        <Code>{preview.error ?? JSON.stringify(preview.schedule, null, 2)}</Code>
      </details>
      <FormError error={save.error} />
      <footer className="form-footer">
        <button type="submit" className="button primary" disabled={save.isPending}>
          {save.isPending ? "Saving…" : first.before ? "Save" : "Create schedule"}
        </button>
      </footer>
    </form>
  );
}
