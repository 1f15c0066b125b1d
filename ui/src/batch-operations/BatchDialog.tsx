import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Code } from "../kit/Code";
import { Field } from "../kit/Field";
import { toast } from "../kit/toasts";
import { encoded } from "../payloads/codec";
import { formatCount } from "../time/format";
import { ArgumentsField } from "../workflows/actions/ArgumentsField";
import { emptyArgument, firstError, payloadsOf } from "../workflows/actions/arguments";
import { FormDialog } from "../workflows/actions/Dialogs";
import { countWorkflows, workflowListQuery } from "../workflows/list/queries";
import { type BatchOperation, type BatchTarget, startBatch } from "./api";

/** More workflows than these are confirmed by typing how many they are. */
const CONFIRMED_FROM = 10;
const SAMPLE = 5;

const TITLES: Record<BatchOperation["kind"], string> = {
  cancel: "Cancel workflows",
  terminate: "Terminate workflows",
  signal: "Signal workflows",
  reset: "Reset workflows",
};

/** Says first what would happen to how many, and does it only then. */
export function BatchDialog({
  namespace,
  kind,
  target,
  onClose,
  onStarted,
}: {
  namespace: string;
  kind: BatchOperation["kind"];
  target: BatchTarget;
  onClose: () => void;
  onStarted: () => void;
}) {
  const byQuery = "query" in target;
  const query = byQuery ? target.query : "";
  const dryRun = useQuery({
    queryKey: ["dry-run", namespace, query],
    enabled: byQuery,
    gcTime: 0,
    queryFn: ({ signal }) => countWorkflows(namespace, query, signal),
  });
  const sample = useQuery({ ...workflowListQuery(namespace, query, undefined), enabled: byQuery });
  const count = byQuery ? dryRun.data : target.executions.length;
  const names = byQuery
    ? (sample.data?.executions ?? []).map(({ execution }) => execution.workflowId)
    : target.executions.map(({ workflowId }) => workflowId);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [signal, setSignal] = useState("");
  const [args, setArgs] = useState([emptyArgument()]);
  const [to, setTo] = useState<"first" | "last">("last");
  const mustType = (count ?? 0) > CONFIRMED_FROM;
  const ready =
    count !== undefined &&
    count > 0 &&
    reason.trim() !== "" &&
    (!mustType || typed.replace(/[, .]/g, "") === String(count)) &&
    (kind !== "signal" || signal !== "");
  return (
    <FormDialog
      title={TITLES[kind]}
      submit={`${TITLES[kind].split(" ")[0]} ${count === undefined ? "…" : formatCount(count)} workflows`}
      danger={kind === "terminate" || kind === "reset"}
      ready={ready}
      run={async () => {
        const error = firstError(args);
        if (error !== undefined) throw new Error(error);
        const operation: BatchOperation =
          kind === "signal"
            ? { kind, signal, input: await encoded(namespace, payloadsOf(args)) }
            : kind === "reset"
              ? { kind, to }
              : { kind };
        return startBatch(namespace, target, operation, reason);
      }}
      done={(jobId) => {
        onStarted();
        toast({
          kind: "good",
          title: "The batch operation has begun",
          detail: (
            <Link to="/namespaces/$namespace/batch-operations/$jobId" params={{ namespace, jobId }}>
              See how it goes
            </Link>
          ),
        });
      }}
      onClose={onClose}
    >
      <section className="dry-run" aria-label="What would happen">
        {byQuery && <Code>{query}</Code>}
        <p aria-live="polite">
          {dryRun.error ? (
            <span className="bad">The workflows could not be counted: {dryRun.error.message}</span>
          ) : count === undefined ? (
            "Counting…"
          ) : (
            <>
              This would {kind} <strong>{formatCount(count)}</strong>{" "}
              {count === 1 ? "workflow" : "workflows"}
              {byQuery && ", and those that fit the filter when the operation reads it"}.
            </>
          )}
        </p>
        <ul className="sample">
          {names.slice(0, SAMPLE).map((name, at) => (
            <li key={at} className="mono">
              {name}
            </li>
          ))}
          {(count ?? 0) > SAMPLE && (
            <li className="faint">and {formatCount((count ?? 0) - SAMPLE)} more</li>
          )}
        </ul>
      </section>
      {kind === "signal" && (
        <>
          <Field label="Signal">
            {(props) => (
              <input
                {...props}
                className="input"
                required
                value={signal}
                onChange={(event) => setSignal(event.target.value)}
              />
            )}
          </Field>
          <ArgumentsField args={args} onChange={setArgs} />
        </>
      )}
      {kind === "reset" && (
        <Field label="Reset to">
          {(props) => (
            <select
              {...props}
              className="input"
              value={to}
              onChange={(event) => setTo(event.target.value === "first" ? "first" : "last")}
            >
              <option value="last">the last workflow task</option>
              <option value="first">the first workflow task</option>
            </select>
          )}
        </Field>
      )}
      <Field label="Reason">
        {(props) => (
          <input
            {...props}
            className="input"
            required
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      {mustType && (
        <Field label={`To go on, type how many workflows it is: ${formatCount(count ?? 0)}`}>
          {(props) => (
            <input
              {...props}
              className="input"
              inputMode="numeric"
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}
