import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../../api/http";
import { Field } from "../../kit/Field";
import { encoded } from "../../payloads/codec";
import { PayloadList } from "../../payloads/PayloadView";
import { ArgumentsField } from "../actions/ArgumentsField";
import type { Target } from "../actions/api";
import { emptyArgument, firstError, payloadsOf } from "../actions/arguments";
import { queryWorkflow, type WorkflowMetadata } from "./queries";

/** Asks the workflow's code; the history stays as it is. */
export function QueriesTab({
  target,
  metadata,
}: {
  target: Target;
  metadata: WorkflowMetadata | undefined;
}) {
  const known = (metadata?.definition?.queryDefinitions ?? []).filter(
    ({ name }) => name !== undefined && !name.startsWith("__"),
  );
  const [typed, setTyped] = useState<string | undefined>();
  const name = typed ?? known[0]?.name ?? "";
  const [args, setArgs] = useState([emptyArgument()]);
  const ask = useMutation({
    mutationFn: async () => {
      const error = firstError(args);
      if (error !== undefined) throw new Error(error);
      const payloads = await encoded(target.namespace, payloadsOf(args));
      return queryWorkflow(target.namespace, target.workflowId, target.runId, name, payloads);
    },
  });
  return (
    <div className="columns-2">
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <Field label="Query" hint={known.find((one) => one.name === name)?.description}>
          {(props) => (
            <>
              <input
                {...props}
                className="input"
                required
                list={`${props.id}-known`}
                autoComplete="off"
                value={name}
                onChange={(event) => setTyped(event.target.value)}
              />
              <datalist id={`${props.id}-known`}>
                {known.map((one) => (
                  <option key={one.name}>{one.name}</option>
                ))}
              </datalist>
            </>
          )}
        </Field>
        <ArgumentsField label="Arguments" args={args} onChange={setArgs} />
        <footer className="form-footer">
          <button type="submit" className="button primary" disabled={ask.isPending || name === ""}>
            {ask.isPending ? "Asking…" : "Query"}
          </button>
        </footer>
      </form>
      <section className="card" aria-label="Answer" aria-live="polite">
        <h3>Answer</h3>
        {ask.error ? (
          <p className="note bad">
            {ask.error instanceof ApiError && <code>{ask.error.code} </code>}
            {ask.error.message}
          </p>
        ) : ask.data ? (
          <PayloadList namespace={target.namespace} payloads={ask.data} empty="no value" />
        ) : (
          <p className="faint">none yet</p>
        )}
      </section>
    </div>
  );
}
