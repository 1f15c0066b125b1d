import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DescribeWorkflow, Execution } from "../../api/types";
import { Loaded } from "../../kit/states";
import type { Target } from "../actions/api";
import { quote } from "../list/filter";
import { WorkflowTable } from "../WorkflowTable";
import { childrenFilter, relatedQuery } from "./queries";

/** Where the run comes from and what came of it: root, parent, children, runs of the same id. */
export function RelationshipsTab({
  target,
  describe,
}: {
  target: Target;
  describe: DescribeWorkflow;
}) {
  const { namespace, workflowId, runId } = target;
  const info = describe.workflowExecutionInfo;
  const children = useQuery(relatedQuery(namespace, childrenFilter(workflowId, runId)));
  const runs = useQuery(relatedQuery(namespace, `WorkflowId = ${quote(workflowId)}`));
  const root = info.rootExecution;
  const isRoot = !root || root.runId === runId;
  return (
    <div className="stack">
      <section className="card">
        <h3>Above</h3>
        <dl className="facts">
          <div>
            <dt>Parent</dt>
            <dd>
              {info.parentExecution ? (
                <RunLink namespace={namespace} execution={info.parentExecution} />
              ) : (
                "none"
              )}
            </dd>
          </div>
          <div>
            <dt>Root</dt>
            <dd>
              {isRoot || !root ? (
                "this workflow"
              ) : (
                <RunLink namespace={namespace} execution={root} />
              )}
            </dd>
          </div>
          {info.firstRunId !== undefined && info.firstRunId !== runId && (
            <div>
              <dt>First run of the chain</dt>
              <dd>
                <RunLink namespace={namespace} execution={{ workflowId, runId: info.firstRunId }} />
              </dd>
            </div>
          )}
        </dl>
      </section>
      <section className="card">
        <h3>Children</h3>
        <Loaded query={children} lines={3}>
          {({ executions = [], nextPageToken }) =>
            executions.length === 0 ? (
              <p className="faint">none</p>
            ) : (
              <>
                <WorkflowTable namespace={namespace} label="Children" runs={executions} />
                {nextPageToken && (
                  <Link
                    to="/namespaces/$namespace/workflows"
                    params={{ namespace }}
                    search={{ query: childrenFilter(workflowId, runId) }}
                  >
                    All children
                  </Link>
                )}
              </>
            )
          }
        </Loaded>
      </section>
      <section className="card">
        <h3>Runs of this workflow id</h3>
        <p className="faint">Continued as new, retried, reset, or started again.</p>
        <Loaded query={runs} lines={3}>
          {({ executions = [] }) => (
            <WorkflowTable namespace={namespace} label="Runs" runs={executions} current={runId} />
          )}
        </Loaded>
      </section>
    </div>
  );
}

function RunLink({ namespace, execution }: { namespace: string; execution: Execution }) {
  return (
    <Link
      to="/namespaces/$namespace/workflows/$workflowId/$runId"
      params={{ namespace, workflowId: execution.workflowId, runId: execution.runId ?? "" }}
      className="mono"
    >
      {execution.workflowId} <span className="faint">{execution.runId}</span>
    </Link>
  );
}
