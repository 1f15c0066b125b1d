import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Field } from "../../kit/Field";
import { FormDialog } from "../../kit/FormDialog";
import { TextField } from "../../kit/TextField";
import { toast } from "../../kit/toasts";
import { PayloadList } from "../../payloads/PayloadView";
import { formatAbsolute, millis } from "../../time/format";
import { eventNumber } from "../history/events";
import type { HistoryStore } from "../history/store";
import { FailureView } from "../page/FailureView";
import type { HandlerDefinition } from "../page/queries";
import { ArgumentsField } from "./ArgumentsField";
import {
  cancelWorkflow,
  pauseWorkflow,
  resetWorkflow,
  signalWorkflow,
  type Target,
  terminateWorkflow,
  type UpdateOutcome,
  unpauseWorkflow,
  updateWorkflow,
} from "./api";
import { emptyArgument, inputWords } from "./arguments";
import { cli } from "./commands";
import { sent } from "./sent";

export type ActionName =
  | "signal"
  | "update"
  | "cancel"
  | "terminate"
  | "reset"
  | "pause"
  | "unpause";

interface Props {
  target: Target;
  onClose: () => void;
  /** What the workflow says that it understands. */
  signals?: HandlerDefinition[] | undefined;
  updates?: HandlerDefinition[] | undefined;
  store?: HistoryStore | undefined;
}

export function ActionDialog({ action, ...props }: Props & { action: ActionName }) {
  switch (action) {
    case "signal":
      return <SignalDialog {...props} />;
    case "update":
      return <UpdateDialog {...props} />;
    case "reset":
      return <ResetDialog {...props} />;
    default:
      return <ReasonDialog {...props} action={action} />;
  }
}

function NameField({
  label,
  definitions,
  value,
  onChange,
}: {
  label: string;
  definitions: HandlerDefinition[] | undefined;
  value: string;
  onChange: (name: string) => void;
}) {
  const known = (definitions ?? []).filter(
    ({ name }) => name !== undefined && !name.startsWith("__"),
  );
  const description = known.find(({ name }) => name === value)?.description;
  return (
    <Field
      label={label}
      hint={
        description || (known.length > 0 ? "Names that the workflow has are offered." : undefined)
      }
    >
      {(props) => (
        <>
          <input
            {...props}
            className="input"
            required
            list={`${props.id}-known`}
            autoComplete="off"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={`${props.id}-known`}>
            {known.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** The same as a command about the run; the words of a verb come before it is named. */
function command(target: Target, ...words: string[]): string {
  const flags = words.findIndex((word) => word.startsWith("-"));
  const verb = flags < 0 ? words : words.slice(0, flags);
  const { namespace, workflowId, runId } = target;
  const run = ["-n", namespace, "-w", workflowId, "-r", runId];
  return cli("workflow", ...verb, ...run, ...words.slice(verb.length));
}

function SignalDialog({ target, onClose, signals }: Props) {
  const only = signals?.filter(({ name }) => !name?.startsWith("__"));
  const [name, setName] = useState(only?.length === 1 ? (only[0]?.name ?? "") : "");
  const [args, setArgs] = useState([emptyArgument()]);
  return (
    <FormDialog
      title={`Signal ${target.workflowId}`}
      submit="Send signal"
      action="signal"
      cli={command(target, "signal", "--name", name || "NAME", ...inputWords(args))}
      ready={name !== ""}
      run={async () => signalWorkflow(target, name, await sent(target.namespace, args))}
      done={() => toast({ kind: "good", title: `Signal ${name} was sent` })}
      onClose={onClose}
    >
      <NameField label="Signal" definitions={signals} value={name} onChange={setName} />
      <ArgumentsField args={args} onChange={setArgs} />
    </FormDialog>
  );
}

function UpdateDialog({ target, onClose, updates }: Props) {
  const only = updates?.filter(({ name }) => !name?.startsWith("__"));
  const [name, setName] = useState(only?.length === 1 ? (only[0]?.name ?? "") : "");
  const [args, setArgs] = useState([emptyArgument()]);
  const [outcome, setOutcome] = useState<UpdateOutcome | undefined>();
  return (
    <FormDialog
      title={`Update ${target.workflowId}`}
      submit={outcome ? "Send again" : "Send update"}
      action="update"
      cli={command(target, "update", "execute", "--name", name || "NAME", ...inputWords(args))}
      ready={name !== ""}
      run={async () => updateWorkflow(target, name, await sent(target.namespace, args))}
      done={(answer) => {
        setOutcome(answer);
        return true;
      }}
      onClose={onClose}
    >
      <NameField label="Update" definitions={updates} value={name} onChange={setName} />
      <ArgumentsField args={args} onChange={setArgs} />
      {outcome && (
        <section aria-label="Outcome" aria-live="polite">
          <h3>Outcome</h3>
          {outcome.outcome?.failure ? (
            <FailureView namespace={target.namespace} failure={outcome.outcome.failure} />
          ) : outcome.outcome ? (
            <PayloadList
              namespace={target.namespace}
              payloads={outcome.outcome.success?.payloads}
              empty="no result"
            />
          ) : (
            <p>Not there yet: the update has reached the stage {outcome.stage ?? "admitted"}.</p>
          )}
        </section>
      )}
    </FormDialog>
  );
}

const REASONS = {
  cancel: {
    title: "Cancel",
    text: "The workflow's code is asked to stop. It may clean up before it does.",
    done: "Cancellation was requested",
    run: cancelWorkflow,
    danger: false,
  },
  terminate: {
    title: "Terminate",
    text: "The run ends at once. Its code gets no chance to clean up, and this cannot be undone.",
    done: "The workflow was terminated",
    run: terminateWorkflow,
    danger: true,
  },
  pause: {
    title: "Pause",
    text: "Nothing of this run goes to a worker until it is unpaused. Timers go on; signals are kept.",
    done: "The workflow was paused",
    run: pauseWorkflow,
    danger: false,
  },
  unpause: {
    title: "Unpause",
    text: "The run goes on where it was.",
    done: "The workflow was unpaused",
    run: unpauseWorkflow,
    danger: false,
  },
} as const;

function ReasonDialog({
  action,
  target,
  onClose,
}: Props & { action: Exclude<ActionName, "signal" | "update" | "reset"> }) {
  const { title, text, done, run, danger } = REASONS[action];
  const [reason, setReason] = useState("");
  return (
    <FormDialog
      title={`${title} ${target.workflowId}`}
      submit={`${title} workflow`}
      danger={danger}
      action={action === "unpause" ? "pause" : action}
      cli={command(target, action, "--reason", reason)}
      run={() => run(target, reason)}
      done={() => toast({ kind: "good", title: done })}
      onClose={onClose}
    >
      <p>{text}</p>
      <TextField
        label="Reason"
        hint="Recorded in the history."
        value={reason}
        onChange={setReason}
      />
    </FormDialog>
  );
}

/** Where a run can be reset to: ends of workflow tasks. */
function resetPoints(store: HistoryStore | undefined): { id: number; label: string }[] {
  return (store?.events ?? [])
    .filter(({ eventType }) =>
      /^EVENT_TYPE_WORKFLOW_TASK_(COMPLETED|FAILED|TIMED_OUT)$/.test(eventType),
    )
    .map((event) => {
      const at = millis(event.eventTime);
      const what = event.eventType
        .replace("EVENT_TYPE_WORKFLOW_TASK_", "")
        .toLowerCase()
        .replace("_", " ");
      return {
        id: eventNumber(event),
        label: `Event ${event.eventId}: workflow task ${what}${at === undefined ? "" : `, ${formatAbsolute(at, false)}`}`,
      };
    })
    .reverse();
}

const POINTS_MAX = 500;
const REAPPLY = [
  { name: "RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL", label: "Signals" },
  { name: "RESET_REAPPLY_EXCLUDE_TYPE_UPDATE", label: "Updates" },
] as const;

function ResetDialog({ target, onClose, store }: Props) {
  const navigate = useNavigate();
  const points = resetPoints(store);
  const first = points.at(-1);
  const [eventId, setEventId] = useState(points[0]?.id);
  const [reason, setReason] = useState("");
  const [exclude, setExclude] = useState<string[]>([]);
  return (
    <FormDialog
      title={`Reset ${target.workflowId}`}
      submit="Reset workflow"
      danger
      action="reset"
      cli={command(target, "reset", "-e", `${eventId ?? "EVENT"}`, "--reason", reason)}
      ready={eventId !== undefined && reason.trim() !== ""}
      run={() => resetWorkflow(target, { reason, eventId: eventId ?? 0, exclude })}
      done={({ runId }) => {
        toast({ kind: "good", title: "The workflow was reset: this is its new run" });
        if (runId !== undefined) {
          void navigate({
            to: "/namespaces/$namespace/workflows/$workflowId/$runId",
            params: { namespace: target.namespace, workflowId: target.workflowId, runId },
          });
        }
      }}
      onClose={onClose}
    >
      <p>
        A new run takes over the history up to the chosen event and goes on from there with the
        workers' present code. This run is terminated if it is open.
      </p>
      <Field
        label="Reset to"
        hint={
          first && eventId !== first.id ? (
            <button type="button" className="link-button" onClick={() => setEventId(first.id)}>
              To the first workflow task
            </button>
          ) : undefined
        }
        error={points.length === 0 ? "No workflow task of this run has ended yet." : undefined}
      >
        {(props) => (
          <select
            {...props}
            className="input"
            value={eventId}
            onChange={(event) => setEventId(Number(event.target.value))}
          >
            {[
              ...points.slice(0, POINTS_MAX),
              ...(first && points.length > POINTS_MAX ? [first] : []),
            ].map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <fieldset className="field">
        <legend>Apply again what came after it</legend>
        {REAPPLY.map(({ name, label }) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={!exclude.includes(name)}
              onChange={(event) =>
                setExclude(
                  event.target.checked ? exclude.filter((one) => one !== name) : [...exclude, name],
                )
              }
            />{" "}
            {label}
          </label>
        ))}
      </fieldset>
      <TextField label="Reason" required value={reason} onChange={setReason} />
    </FormDialog>
  );
}
