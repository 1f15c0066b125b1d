import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Loaded } from "../../kit/states";
import { PollerTable } from "../../task-queues/PollerTable";
import { WorkerTable } from "../../workers/WorkerTable";
import { quote } from "../list/filter";
import { taskQueueQuery, workersQuery } from "./queries";

/** Who could work on the run. */
export function WorkersTab({ namespace, taskQueue }: { namespace: string; taskQueue: string }) {
  const workflow = useQuery(taskQueueQuery(namespace, taskQueue, "workflow"));
  const activity = useQuery(taskQueueQuery(namespace, taskQueue, "activity"));
  const workers = useQuery(workersQuery(namespace, `TaskQueue = ${quote(taskQueue)}`));
  return (
    <div className="stack">
      <section className="card">
        <h3>
          Pollers of{" "}
          <Link
            to="/namespaces/$namespace/task-queues/$taskQueue"
            params={{ namespace, taskQueue }}
          >
            {taskQueue}
          </Link>
        </h3>
        <Loaded query={workflow} lines={3}>
          {(queue) => (
            <PollerTable
              queues={[
                { kind: "workflow tasks", queue },
                { kind: "activity tasks", queue: activity.data },
              ]}
            />
          )}
        </Loaded>
      </section>
      <section className="card">
        <h3>Workers with heartbeats</h3>
        <Loaded query={workers} lines={3}>
          {(answer) =>
            (answer.workersInfo ?? answer.workers ?? []).length === 0 ? (
              <p className="faint">none; older SDKs do not send them</p>
            ) : (
              <WorkerTable namespace={namespace} answer={answer} queue={false} />
            )
          }
        </Loaded>
      </section>
    </div>
  );
}
