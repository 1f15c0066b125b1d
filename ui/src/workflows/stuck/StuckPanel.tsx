import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { DescribeTaskQueue, DescribeWorkflow } from "../../api/types";
import { Icon, type IconName } from "../../kit/icons";
import { focusableWhenScrolling } from "../../kit/scrolling";
import type { WorkflowTab } from "../../router";
import { useNow } from "../../time/clock";
import { isOpen, taskQueueQuery } from "../page/queries";
import { findings } from "./analysis";

const ICONS: Record<string, IconName> = { blocked: "warning", warning: "clock", waiting: "pause" };
const QUEUES_MAX = 5;

/** Why an open run does not go on. */
export function StuckPanel({
  namespace,
  describe,
  onTab,
}: {
  namespace: string;
  describe: DescribeWorkflow;
  onTab: (tab: WorkflowTab) => void;
}) {
  const now = useNow();
  const info = describe.workflowExecutionInfo;
  const open = isOpen(info.status);
  const queue = info.taskQueue ?? "";
  const activityQueues = [
    ...new Set(
      (describe.pendingActivities ?? []).map(
        (one) => one.activityOptions?.taskQueue?.name ?? queue,
      ),
    ),
  ].slice(0, QUEUES_MAX);
  const results = useQueries({
    queries: [
      { ...taskQueueQuery(namespace, queue, "workflow"), enabled: open && queue !== "" },
      ...activityQueues.map((name) => ({
        ...taskQueueQuery(namespace, name, "activity"),
        enabled: open,
      })),
    ],
  });
  if (!open) return null;
  const [workflow, ...activities] = results;
  const activityPollers: Record<string, DescribeTaskQueue | undefined> = {};
  activityQueues.forEach((name, at) => {
    activityPollers[name] = activities[at]?.data;
  });
  const found = findings({ describe, workflowPollers: workflow?.data, activityPollers, now });
  if (found.length === 0) return null;
  return (
    <section className="stuck" aria-label="What it waits for" data-testid="stuck">
      <ul>
        {found.map((finding) => (
          <li key={finding.title} className={`finding ${finding.severity}`}>
            <Icon name={ICONS[finding.severity] ?? "dot"} />
            <div>
              <p className="finding-title">{finding.title}</p>
              {finding.failure !== undefined && (
                <p ref={focusableWhenScrolling} className="finding-failure">
                  {finding.failure}
                </p>
              )}
              {finding.detail && <p className="faint">{finding.detail}</p>}
            </div>
            {finding.link && "tab" in finding.link && (
              <button
                type="button"
                className="link-button"
                onClick={() => finding.link && "tab" in finding.link && onTab(finding.link.tab)}
              >
                Look
              </button>
            )}
            {finding.link && "taskQueue" in finding.link && (
              <Link
                to="/namespaces/$namespace/task-queues/$taskQueue"
                params={{ namespace, taskQueue: finding.link.taskQueue }}
              >
                Task queue
              </Link>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
