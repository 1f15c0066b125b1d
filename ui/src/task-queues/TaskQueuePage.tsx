import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DescribeTaskQueue } from "../api/types";
import { useWatched } from "../api/watch";
import { CommandsMenu } from "../kit/CommandsMenu";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Loaded } from "../kit/states";
import { taskQueueRoute } from "../router";
import { durationMillis, formatCount, formatDuration } from "../time/format";
import { WorkerTable } from "../workers/WorkerTable";
import { cli } from "../workflows/actions/commands";
import { quote } from "../workflows/list/filter";
import { taskQueueQuery, workersQuery } from "../workflows/page/queries";
import { PollerTable } from "./PollerTable";

const rate = (perSecond: number | undefined): string =>
  perSecond === undefined ? "0" : perSecond.toFixed(perSecond < 10 ? 2 : 0);

/** Who polls a task queue, and what waits in it. */
export function TaskQueuePage() {
  const { namespace, taskQueue } = taskQueueRoute.useParams();
  const workflow = useQuery(taskQueueQuery(namespace, taskQueue, "workflow"));
  const activity = useQuery(taskQueueQuery(namespace, taskQueue, "activity"));
  const nexus = useQuery(taskQueueQuery(namespace, taskQueue, "nexus"));
  const workers = useWatched(workersQuery(namespace, `TaskQueue = ${quote(taskQueue)}`));
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/workers" params={{ namespace }} search={{}}>
          Workers
        </Link>
        <span aria-hidden="true">/</span>
        <span>Task queue</span>
      </nav>
      <header className="page-header">
        <h1 className="mono">{taskQueue}</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{ cli: cli("task-queue", "describe", "-n", namespace, "-t", taskQueue) }}
          />
          <Link
            to="/namespaces/$namespace/workflows"
            params={{ namespace }}
            search={{ query: `TaskQueue = ${quote(taskQueue)}` }}
            className="button"
          >
            Its workflows
          </Link>
        </div>
      </header>
      <Loaded query={workflow}>
        {(queue) => (
          <>
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">What waits in the queue</caption>
                <thead>
                  <tr>
                    <th scope="col">Tasks</th>
                    <th scope="col">Waiting</th>
                    <th scope="col">The oldest for</th>
                    <th scope="col">Added per second</th>
                    <th scope="col">Given out per second</th>
                    <th scope="col">Limit per second</th>
                  </tr>
                </thead>
                <tbody>
                  <StatsRow kind="Workflow" queue={queue} />
                  <StatsRow kind="Activity" queue={activity.data} />
                  <StatsRow kind="Nexus" queue={nexus.data} />
                </tbody>
              </table>
            </div>
            <section className="card">
              <h2>Pollers</h2>
              <PollerTable
                queues={[
                  { kind: "workflow tasks", queue },
                  { kind: "activity tasks", queue: activity.data },
                  { kind: "Nexus tasks", queue: nexus.data },
                ]}
              />
            </section>
          </>
        )}
      </Loaded>
      <section className="card">
        <h2>Workers with heartbeats</h2>
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

function StatsRow({ kind, queue }: { kind: string; queue: DescribeTaskQueue | undefined }) {
  const stats = queue?.stats;
  const age = durationMillis(stats?.approximateBacklogAge) ?? 0;
  return (
    <tr>
      <th scope="row">{kind}</th>
      <td>{formatCount(Number(stats?.approximateBacklogCount ?? 0))}</td>
      <td>{age === 0 ? "–" : formatDuration(age)}</td>
      <td>{rate(stats?.tasksAddRate)}</td>
      <td>{rate(stats?.tasksDispatchRate)}</td>
      <td>{queue?.effectiveRateLimit?.requestsPerSecond ?? "–"}</td>
    </tr>
  );
}
