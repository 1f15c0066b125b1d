import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../../access/useMay";
import type { DescribeWorkflow, PendingActivity, PendingNexusOperation } from "../../api/types";
import { ActionButton } from "../../kit/ActionButton";
import { FormDialog } from "../../kit/FormDialog";
import { Status } from "../../kit/Status";
import { EmptyState } from "../../kit/states";
import { TextField } from "../../kit/TextField";
import { toast, toastError } from "../../kit/toasts";
import { PayloadList } from "../../payloads/PayloadView";
import { durationMillis, formatDuration } from "../../time/format";
import { Time } from "../../time/Time";
import { pauseActivity, resetActivity, type Target, unpauseActivity } from "../actions/api";
import { FailureView } from "./FailureView";

/** What the run waits for: activities, Nexus operations, children, callbacks. */
export function PendingTab({ target, describe }: { target: Target; describe: DescribeWorkflow }) {
  const activities = describe.pendingActivities ?? [];
  const operations = describe.pendingNexusOperations ?? [];
  const children = describe.pendingChildren ?? [];
  const task = describe.pendingWorkflowTask;
  if (activities.length + operations.length + children.length === 0 && !task) {
    return <EmptyState icon="check" title="Nothing is pending" />;
  }
  return (
    <div className="stack">
      {task && (
        <article className="card">
          <header className="card-header">
            <h3>Workflow task</h3>
            <Status status={task.state?.replace("PENDING_WORKFLOW_TASK_STATE_", "STATE_")} />
            <span className="faint">attempt {task.attempt ?? 1}</span>
            <span className="spacer" />
            <span className="faint">
              scheduled <Time value={task.originalScheduledTime ?? task.scheduledTime} />
            </span>
          </header>
        </article>
      )}
      {activities.map((activity) => (
        <ActivityCard key={activity.activityId} target={target} activity={activity} />
      ))}
      {operations.map((operation, at) => (
        <OperationCard key={operation.operationToken ?? at} target={target} operation={operation} />
      ))}
      {children.map((child) => (
        <article key={child.initiatedId ?? child.workflowId} className="card">
          <header className="card-header">
            <h3>Child workflow {child.workflowTypeName}</h3>
            <Link
              to="/namespaces/$namespace/workflows/$workflowId"
              params={{ namespace: target.namespace, workflowId: child.workflowId }}
              className="mono"
            >
              {child.workflowId}
            </Link>
          </header>
        </article>
      ))}
    </div>
  );
}

function ActivityCard({ target, activity }: { target: Target; activity: PendingActivity }) {
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"pause" | "reset" | undefined>();
  const may = useMay(target.namespace);
  const name = `${activity.activityType?.name ?? "activity"}`;
  const refresh = () =>
    client.invalidateQueries({ queryKey: ["workflow", target.namespace, target.workflowId] });
  const unpause = useMutation({
    mutationFn: () => unpauseActivity(target, activity.activityId),
    onSuccess: () => {
      toast({ kind: "good", title: `Activity ${activity.activityId} goes on` });
      return refresh();
    },
    onError: (error) => toastError("The activity was not unpaused", error),
  });
  const options = activity.activityOptions;
  const limits = (
    [
      ["Start to close", options?.startToCloseTimeout],
      ["Schedule to close", options?.scheduleToCloseTimeout],
      ["Schedule to start", options?.scheduleToStartTimeout],
      ["Heartbeat", options?.heartbeatTimeout],
    ] as const
  ).filter(([, value]) => (durationMillis(value) ?? 0) > 0);
  return (
    <article
      className="card"
      aria-label={`Activity ${activity.activityId}`}
      data-activity={activity.activityId}
    >
      <header className="card-header">
        <h3>{name}</h3>
        <Status
          status={
            activity.paused
              ? "STATE_PAUSED"
              : activity.state?.replace("PENDING_ACTIVITY_STATE_", "STATE_")
          }
        />
        <span className="faint">activity {activity.activityId}</span>
        <span className="spacer" />
        {activity.paused ? (
          <ActionButton
            refused={may("UnpauseActivity")}
            disabled={unpause.isPending}
            onClick={() => unpause.mutate()}
          >
            Unpause
          </ActionButton>
        ) : (
          <ActionButton refused={may("PauseActivity")} onClick={() => setDialog("pause")}>
            Pause
          </ActionButton>
        )}
        <ActionButton refused={may("ResetActivity")} onClick={() => setDialog("reset")}>
          Reset
        </ActionButton>
      </header>
      <dl className="facts">
        <div>
          <dt>Attempt</dt>
          <dd>
            {activity.attempt ?? 1} of {activity.maximumAttempts || "∞"}
          </dd>
        </div>
        <div>
          <dt>Scheduled</dt>
          <dd>
            <Time value={activity.scheduledTime} />
          </dd>
        </div>
        {activity.nextAttemptScheduleTime !== undefined && (
          <div>
            <dt>Next attempt</dt>
            <dd>
              <Time value={activity.nextAttemptScheduleTime} />
            </dd>
          </div>
        )}
        {activity.lastStartedTime !== undefined && (
          <div>
            <dt>Last start</dt>
            <dd>
              <Time value={activity.lastStartedTime} />
            </dd>
          </div>
        )}
        {activity.lastHeartbeatTime !== undefined && (
          <div>
            <dt>Last heartbeat</dt>
            <dd>
              <Time value={activity.lastHeartbeatTime} />
            </dd>
          </div>
        )}
        {activity.lastWorkerIdentity && (
          <div>
            <dt>Worker</dt>
            <dd className="mono">{activity.lastWorkerIdentity}</dd>
          </div>
        )}
        {limits.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatDuration(durationMillis(value) ?? 0)}</dd>
          </div>
        ))}
      </dl>
      {activity.heartbeatDetails?.payloads && (
        <>
          <h4>Details of the last heartbeat</h4>
          <PayloadList namespace={target.namespace} payloads={activity.heartbeatDetails.payloads} />
        </>
      )}
      {activity.lastFailure && (
        <>
          <h4>Last failure</h4>
          <FailureView namespace={target.namespace} failure={activity.lastFailure} />
        </>
      )}
      {dialog === "pause" && (
        <PauseDialog target={target} activity={activity} onClose={() => setDialog(undefined)} />
      )}
      {dialog === "reset" && (
        <ResetDialog target={target} activity={activity} onClose={() => setDialog(undefined)} />
      )}
    </article>
  );
}

interface DialogProps {
  target: Target;
  activity: PendingActivity;
  onClose: () => void;
}

function PauseDialog({ target, activity, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  return (
    <FormDialog
      title={`Pause activity ${activity.activityId}`}
      submit="Pause activity"
      run={() => pauseActivity(target, activity.activityId, reason)}
      done={() => toast({ kind: "good", title: `Activity ${activity.activityId} is paused` })}
      onClose={onClose}
    >
      <p>No further attempt starts until it is unpaused. An attempt that runs goes on.</p>
      <TextField label="Reason" value={reason} onChange={setReason} />
    </FormDialog>
  );
}

function ResetDialog({ target, activity, onClose }: DialogProps) {
  const [heartbeat, setHeartbeat] = useState(false);
  return (
    <FormDialog
      title={`Reset activity ${activity.activityId}`}
      submit="Reset activity"
      run={() => resetActivity(target, activity.activityId, heartbeat)}
      done={() => toast({ kind: "good", title: `Activity ${activity.activityId} starts over` })}
      onClose={onClose}
    >
      <p>Its attempts are counted from 1 again, and the next one starts at once.</p>
      <label className="check">
        <input
          type="checkbox"
          checked={heartbeat}
          onChange={(event) => setHeartbeat(event.target.checked)}
        />{" "}
        Forget the details of its heartbeats
      </label>
    </FormDialog>
  );
}

function OperationCard({
  target,
  operation,
}: {
  target: Target;
  operation: PendingNexusOperation;
}) {
  return (
    <article className="card">
      <header className="card-header">
        <h3>
          Nexus operation {operation.service}.{operation.operation}
        </h3>
        <Status status={operation.state?.replace("PENDING_NEXUS_OPERATION_STATE_", "STATE_")} />
        <span className="faint">
          at {operation.endpoint}, attempt {operation.attempt ?? 1}
        </span>
      </header>
      {operation.blockedReason && <p>{operation.blockedReason}</p>}
      {operation.lastAttemptFailure && (
        <FailureView namespace={target.namespace} failure={operation.lastAttemptFailure} />
      )}
    </article>
  );
}
