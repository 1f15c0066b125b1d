import { Link } from "@tanstack/react-router";
import type { ListWorkers, SlotsInfo, WorkerHeartbeat } from "../api/types";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Time } from "../time/Time";

const slots = (info: SlotsInfo | undefined): string => {
  if (!info) return "–";
  const used = info.currentUsedSlots ?? 0;
  const free = info.currentAvailableSlots;
  return free === undefined ? `${used}` : `${used} of ${used + free}`;
};
const percent = (part: number | undefined): string =>
  part === undefined ? "–" : `${Math.round(part * 100)} %`;

/** Workers as their heartbeats tell. */
export function WorkerTable({
  namespace,
  answer,
  queue = true,
}: {
  namespace: string;
  answer: ListWorkers;
  queue?: boolean;
}) {
  const workers: WorkerHeartbeat[] =
    (answer.workersInfo ?? []).length > 0
      ? (answer.workersInfo ?? []).flatMap(({ workerHeartbeat }) => workerHeartbeat ?? [])
      : (answer.workers ?? []);
  return (
    <div ref={focusableWhenScrolling} className="table-frame">
      <table className="table">
        <caption className="visually-hidden">Workers</caption>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Identity</th>
            {queue && <th scope="col">Task queue</th>}
            <th scope="col">Last heartbeat</th>
            <th scope="col">SDK</th>
            <th scope="col">Version</th>
            <th scope="col">Workflow slots</th>
            <th scope="col">Activity slots</th>
            <th scope="col">Processor</th>
            <th scope="col">Memory</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker.workerInstanceKey}>
              <td>
                <Status status={worker.status} />
              </td>
              <td className="mono">{worker.workerIdentity}</td>
              {queue && (
                <td>
                  <Link
                    to="/namespaces/$namespace/task-queues/$taskQueue"
                    params={{ namespace, taskQueue: worker.taskQueue ?? "" }}
                  >
                    {worker.taskQueue}
                  </Link>
                </td>
              )}
              <td>
                <Time value={worker.heartbeatTime} />
              </td>
              <td>
                {worker.sdkName} {worker.sdkVersion}
              </td>
              <td className="mono">
                {worker.deploymentVersion?.deploymentName}{" "}
                {worker.deploymentVersion?.buildId?.slice(0, 12) ?? "–"}
              </td>
              <td>{slots(worker.workflowTaskSlotsInfo)}</td>
              <td>{slots(worker.activityTaskSlotsInfo)}</td>
              <td>{percent(worker.hostInfo?.currentHostCpuUsage)}</td>
              <td>{percent(worker.hostInfo?.currentHostMemUsage)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
