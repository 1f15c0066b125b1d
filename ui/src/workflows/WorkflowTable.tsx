import { Link } from "@tanstack/react-router";
import type { WorkflowExecutionInfo } from "../api/types";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Elapsed, Time } from "../time/Time";

/** A short list of runs within another view. */
export function WorkflowTable({
  namespace,
  label,
  runs,
  current,
}: {
  namespace: string;
  label: string;
  runs: WorkflowExecutionInfo[];
  /** The run that the view is about. */
  current?: string;
}) {
  return (
    <div ref={focusableWhenScrolling} className="table-frame">
      <table className="table">
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Workflow id</th>
            <th scope="col">Run id</th>
            <th scope="col">Type</th>
            <th scope="col">Started</th>
            <th scope="col">Duration</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr
              key={run.execution.runId}
              aria-current={run.execution.runId === current || undefined}
            >
              <td>
                <Status status={run.status} />
              </td>
              <td>
                <span className="mono">{run.execution.workflowId}</span>
              </td>
              <td>
                <Link
                  to="/namespaces/$namespace/workflows/$workflowId/$runId"
                  params={{
                    namespace,
                    workflowId: run.execution.workflowId,
                    runId: run.execution.runId ?? "",
                  }}
                  className="mono"
                >
                  {run.execution.runId}
                </Link>
                {run.execution.runId === current && <span className="tag"> this run</span>}
              </td>
              <td>{run.type?.name}</td>
              <td>
                <Time value={run.startTime} />
              </td>
              <td>
                <Elapsed from={run.startTime} to={run.closeTime} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
