import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ChoiceField } from "../kit/ChoiceField";
import { Code } from "../kit/Code";
import { FormDialog } from "../kit/FormDialog";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { formatCount } from "../time/format";
import { ArgumentsField } from "../workflows/actions/ArgumentsField";
import { emptyArgument } from "../workflows/actions/arguments";
import { sent } from "../workflows/actions/sent";
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
      action="batch"
      ready={ready}
      run={async () => {
        const operation: BatchOperation =
          kind === "signal"
            ? { kind, signal, input: await sent(namespace, args) }
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
          <TextField label="Signal" required value={signal} onChange={setSignal} />
          <ArgumentsField args={args} onChange={setArgs} />
        </>
      )}
      {kind === "reset" && (
        <ChoiceField
          label="Reset to"
          value={to}
          choices={[
            ["last", "the last workflow task"],
            ["first", "the first workflow task"],
          ]}
          onChange={setTo}
        />
      )}
      <TextField label="Reason" required value={reason} onChange={setReason} />
      {mustType && (
        <TextField
          label={`To go on, type how many workflows it is: ${formatCount(count ?? 0)}`}
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onChange={setTyped}
        />
      )}
    </FormDialog>
  );
}
