import { useQuery } from "@tanstack/react-query";
import type { Payload } from "../../api/types";
import { Code } from "../../kit/Code";
import { CopyButton } from "../../kit/CopyButton";
import { Icon } from "../../kit/icons";
import { EmptyState, Loaded } from "../../kit/states";
import { decode } from "../../payloads/decode";
import { PayloadView } from "../../payloads/PayloadView";
import { useDecoded } from "../../payloads/useDecoded";
import type { Target } from "../actions/api";
import { queryWorkflow } from "./queries";

/** Where the workflow's code waits: a worker replays the history and tells. */
export function CallStackTab({ target, open }: { target: Target; open: boolean }) {
  const stack = useQuery({
    queryKey: ["call-stack", target],
    enabled: open,
    retry: false,
    queryFn: async ({ signal }) => {
      const [payload] = await queryWorkflow(
        target.namespace,
        target.workflowId,
        target.runId,
        "__stack_trace",
        [],
        signal,
      );
      return payload ?? null;
    },
  });
  if (!open) {
    return (
      <EmptyState icon="stack" title="The workflow is closed">
        Only the code of an open workflow stands somewhere.
      </EmptyState>
    );
  }
  return (
    <div className="stack">
      <div className="row">
        <p className="faint">A worker was asked where the workflow's code waits.</p>
        <span className="spacer" />
        <button
          type="button"
          className="button"
          onClick={() => stack.refetch()}
          disabled={stack.isFetching}
        >
          <Icon name="refresh" /> {stack.isFetching ? "Asking…" : "Ask again"}
        </button>
      </div>
      <Loaded query={stack}>
        {(payload) =>
          payload ? (
            <StackTrace namespace={target.namespace} payload={payload} />
          ) : (
            <EmptyState icon="stack" title="The worker gave no stack" />
          )
        }
      </Loaded>
    </div>
  );
}

function StackTrace({ namespace, payload }: { namespace: string; payload: Payload }) {
  const { payload: readable } = useDecoded(namespace, payload);
  const decoded = decode(readable);
  let text: unknown;
  try {
    text = decoded.kind === "json" ? JSON.parse(decoded.text) : undefined;
  } catch {
    text = undefined;
  }
  if (typeof text !== "string") return <PayloadView namespace={namespace} payload={payload} />;
  return (
    <div className="payload">
      <Code className="stack-trace">{text}</Code>
      <CopyButton text={text} label="Copy the call stack" overlay />
    </div>
  );
}
