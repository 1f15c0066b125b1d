import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { DescribeWorkflow } from "../../api/types";
import { Copyable } from "../../kit/CopyButton";
import { formatBytes, formatCount } from "../../time/format";
import { Elapsed, Time } from "../../time/Time";
import { attributesOf, textAt } from "../history/events";
import type { HistorySnapshot, HistoryStore } from "../history/store";

/** The SDK that worked on the run last, as its workflow tasks tell. */
function sdkOf(store: HistoryStore): string | undefined {
  for (let at = store.events.length - 1; at >= Math.max(0, store.events.length - 2000); at -= 1) {
    const event = store.events[at];
    if (event?.eventType !== "EVENT_TYPE_WORKFLOW_TASK_COMPLETED") continue;
    const attributes = attributesOf(event);
    const name = textAt(attributes, "sdkMetadata", "sdkName");
    if (name !== undefined)
      return `${name} ${textAt(attributes, "sdkMetadata", "sdkVersion") ?? ""}`;
  }
  const first = store.events[3];
  return first && textAt(attributesOf(first), "sdkMetadata", "sdkName");
}

/** What a run is, in one look. */
export function Summary({
  namespace,
  describe,
  store,
  snapshot,
}: {
  namespace: string;
  describe: DescribeWorkflow;
  store: HistoryStore;
  snapshot: HistorySnapshot;
}) {
  const info = describe.workflowExecutionInfo;
  const parent = info.parentExecution;
  const sdk = snapshot.count > 0 ? sdkOf(store) : undefined;
  const facts: [string, ReactNode][] = [
    ["Started", <Time key="start" value={info.startTime} />],
    ["Closed", <Time key="close" value={info.closeTime} />],
    ["Duration", <Elapsed key="duration" from={info.startTime} to={info.closeTime} />],
    [
      "Task queue",
      <Link
        key="queue"
        to="/namespaces/$namespace/task-queues/$taskQueue"
        params={{ namespace, taskQueue: info.taskQueue ?? "" }}
      >
        {info.taskQueue}
      </Link>,
    ],
    [
      "History",
      `${formatCount(Math.max(Number(info.historyLength ?? 0), snapshot.count))} events, ${formatBytes(Number(info.historySizeBytes ?? 0))}`,
    ],
    ["State transitions", formatCount(Number(info.stateTransitionCount ?? 0))],
    ["SDK", sdk ?? <span className="faint">–</span>],
    ["Run id", <Copyable key="run" text={info.execution.runId ?? ""} label="Copy the run id" />],
  ];
  if (parent) {
    facts.push([
      "Parent",
      <Link
        key="parent"
        to="/namespaces/$namespace/workflows/$workflowId/$runId"
        params={{ namespace, workflowId: parent.workflowId, runId: parent.runId ?? "" }}
        className="mono"
      >
        {parent.workflowId}
      </Link>,
    ]);
  }
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
