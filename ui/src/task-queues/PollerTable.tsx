import type { DescribeTaskQueue, Poller } from "../api/types";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Time } from "../time/Time";

interface Row extends Poller {
  kinds: string[];
}

/** The workers that poll a queue, each once, with the kinds of tasks that it asks for. */
export function PollerTable({
  queues,
}: {
  queues: { kind: string; queue: DescribeTaskQueue | undefined }[];
}) {
  const rows = new Map<string, Row>();
  for (const { kind, queue } of queues) {
    for (const poller of queue?.pollers ?? []) {
      const identity = poller.identity ?? "";
      const known = rows.get(identity);
      if (known) {
        known.kinds.push(kind);
        if ((poller.lastAccessTime ?? "") > (known.lastAccessTime ?? "")) {
          Object.assign(known, poller);
        }
      } else rows.set(identity, { ...poller, kinds: [kind] });
    }
  }
  if (rows.size === 0) {
    return (
      <p className="note bad" role="status">
        No worker polls this task queue: its tasks wait. A worker that is gone is forgotten after
        five minutes.
      </p>
    );
  }
  return (
    <div ref={focusableWhenScrolling} className="table-frame">
      <table className="table">
        <caption className="visually-hidden">Pollers</caption>
        <thead>
          <tr>
            <th scope="col">Identity</th>
            <th scope="col">Asks for</th>
            <th scope="col">Last poll</th>
            <th scope="col">Version</th>
          </tr>
        </thead>
        <tbody>
          {[...rows.values()].map((row) => (
            <tr key={row.identity}>
              <td className="mono">{row.identity}</td>
              <td>{row.kinds.join(", ")}</td>
              <td>
                <Time value={row.lastAccessTime} />
              </td>
              <td className="mono">
                {row.deploymentOptions?.deploymentName
                  ? `${row.deploymentOptions.deploymentName} ${row.deploymentOptions.buildId ?? ""}`
                  : (row.workerVersionCapabilities?.buildId ?? "–")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
