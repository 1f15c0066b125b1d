import type { Failure } from "../../api/types";
import { Code } from "../../kit/Code";
import { statusName } from "../../kit/Status";
import { PayloadList, PayloadView } from "../../payloads/PayloadView";

const CAUSES_MAX = 20;

function kindOf(failure: Failure): string | undefined {
  if (failure.applicationFailureInfo) {
    const { type, nonRetryable } = failure.applicationFailureInfo;
    return [type || "ApplicationFailure", nonRetryable ? "non-retryable" : undefined]
      .filter(Boolean)
      .join(", ");
  }
  if (failure.timeoutFailureInfo) {
    return `Timeout: ${statusName(failure.timeoutFailureInfo.timeoutType?.replace("TIMEOUT_TYPE_", "STATE_"))}`;
  }
  if (failure.canceledFailureInfo) return "Canceled";
  if (failure.terminatedFailureInfo) return "Terminated";
  if (failure.serverFailureInfo) return "ServerFailure";
  if (failure.resetWorkflowFailureInfo) return "ResetWorkflow";
  if (failure.activityFailureInfo) {
    return `Activity ${failure.activityFailureInfo.activityType?.name ?? ""} failed`;
  }
  if (failure.childWorkflowExecutionFailureInfo) {
    return `Child workflow ${failure.childWorkflowExecutionFailureInfo.workflowType?.name ?? ""} failed`;
  }
  if (failure.nexusOperationExecutionFailureInfo) return "Nexus operation failed";
  return undefined;
}

/** A failure and its causes. All of it was written by workers, and is shown as text. */
export function FailureView({ namespace, failure }: { namespace: string; failure: Failure }) {
  const chain: Failure[] = [];
  for (let at: Failure | undefined = failure; at && chain.length < CAUSES_MAX; at = at.cause) {
    chain.push(at);
  }
  return (
    <ol className="failure">
      {chain.map((one, depth) => (
        <li key={depth}>
          <p className="failure-head">
            {depth > 0 && <span className="faint">caused by </span>}
            {kindOf(one) !== undefined && <span className="tag bad">{kindOf(one)}</span>}{" "}
            <span className="failure-message">{one.message || "no message"}</span>
          </p>
          {one.encodedAttributes && (
            <PayloadView namespace={namespace} payload={one.encodedAttributes} />
          )}
          {one.applicationFailureInfo?.details && (
            <details>
              <summary>Details</summary>
              <PayloadList
                namespace={namespace}
                payloads={one.applicationFailureInfo.details.payloads}
              />
            </details>
          )}
          {one.stackTrace && (
            <details open={depth === 0 && chain.length === 1}>
              <summary>Stack trace</summary>
              <Code className="stack-trace">{one.stackTrace}</Code>
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}
