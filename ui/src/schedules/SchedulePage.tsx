import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay } from "../access/useMay";
import type { JsonObject } from "../api/types";
import { useWatched } from "../api/watch";
import { ActionButton } from "../kit/ActionButton";
import { ChoiceField } from "../kit/ChoiceField";
import { CommandsMenu } from "../kit/CommandsMenu";
import { FormDialog } from "../kit/FormDialog";
import { Icon } from "../kit/icons";
import { Menu, MenuItem, MenuSeparator } from "../kit/Menu";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { Loaded } from "../kit/states";
import { TextField } from "../kit/TextField";
import { toast, toastError } from "../kit/toasts";
import { PayloadList } from "../payloads/PayloadView";
import { scheduleRoute } from "../router";
import { formatCount } from "../time/format";
import { Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { Attributes } from "../workflows/history/Attributes";
import { quote } from "../workflows/list/filter";
import { deleteSchedule, type Patch, patchSchedule, scheduleQuery } from "./api";
import { describeSpec } from "./describe";
import { OVERLAP } from "./form";
import type { DescribeSchedule } from "./types";
import "../styles/workflow.css";

const NEXT_SHOWN = 5;

export function SchedulePage() {
  const { namespace, scheduleId } = scheduleRoute.useParams();
  const schedule = useWatched(scheduleQuery(namespace, scheduleId));
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/schedules" params={{ namespace }} search={{}}>
          Schedules
        </Link>
      </nav>
      <Loaded query={schedule}>
        {(described) => (
          <Described namespace={namespace} scheduleId={scheduleId} described={described} />
        )}
      </Loaded>
    </div>
  );
}

type DialogName = "pause" | "unpause" | "backfill" | "delete";

function Described({
  namespace,
  scheduleId,
  described: { schedule, info },
}: {
  namespace: string;
  scheduleId: string;
  described: DescribeSchedule;
}) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<DialogName | undefined>();
  const trigger = useMutation({
    mutationFn: () =>
      patchSchedule(namespace, scheduleId, {
        triggerImmediately: { overlapPolicy: "SCHEDULE_OVERLAP_POLICY_ALLOW_ALL" },
      }),
    onSuccess: () => {
      toast({ kind: "good", title: "The schedule was triggered" });
      return client.invalidateQueries({ queryKey: ["schedule", namespace, scheduleId] });
    },
    onError: (error) => toastError("The schedule was not triggered", error),
  });
  const may = useMay(namespace);
  const noPatch = may("PatchSchedule");
  const paused = schedule?.state?.paused ?? false;
  const action = schedule?.action?.startWorkflow;
  const counts: [string, string | undefined][] = [
    ["Actions", info?.actionCount],
    ["Missed the catch-up window", info?.missedCatchupWindow],
    ["Skipped by overlap", info?.overlapSkipped],
    ["Dropped from the buffer", info?.bufferDropped],
    ["In the buffer", info?.bufferSize],
  ];
  return (
    <>
      <header className="page-header">
        <Status status={paused ? "Paused" : "Running"} />
        <h1 className="mono">{scheduleId}</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{ cli: cli("schedule", "describe", "-n", namespace, "-s", scheduleId) }}
          />
          <ActionButton
            refused={noPatch}
            disabled={trigger.isPending}
            onClick={() => trigger.mutate()}
          >
            <Icon name="play" /> Trigger
          </ActionButton>
          <ActionButton refused={noPatch} onClick={() => setDialog(paused ? "unpause" : "pause")}>
            <Icon name={paused ? "play" : "pause"} /> {paused ? "Unpause" : "Pause"}
          </ActionButton>
          <Menu label="Actions" className="button primary">
            <MenuItem
              disabled={may("UpdateSchedule")}
              onSelect={() =>
                void navigate({
                  to: "/namespaces/$namespace/schedules/$scheduleId/edit",
                  params: { namespace, scheduleId },
                })
              }
            >
              Edit…
            </MenuItem>
            <MenuItem disabled={noPatch} onSelect={() => setDialog("backfill")}>
              Backfill…
            </MenuItem>
            <MenuSeparator />
            <MenuItem danger disabled={may("DeleteSchedule")} onSelect={() => setDialog("delete")}>
              Delete…
            </MenuItem>
          </Menu>
        </div>
      </header>
      {info?.invalidScheduleError && <p className="note bad">{info.invalidScheduleError}</p>}
      {schedule?.state?.notes && <p className="note">{schedule.state.notes}</p>}
      <dl className="facts">
        <div>
          <dt>When</dt>
          <dd>
            {describeSpec(schedule?.spec).join("; ")}
            {schedule?.spec?.timezoneName && (
              <span className="faint"> in {schedule.spec.timezoneName}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>Starts</dt>
          <dd>
            {action?.workflowType?.name} on{" "}
            <Link
              to="/namespaces/$namespace/task-queues/$taskQueue"
              params={{ namespace, taskQueue: action?.taskQueue?.name ?? "" }}
            >
              {action?.taskQueue?.name}
            </Link>
          </dd>
        </div>
        <div>
          <dt>Overlap</dt>
          <dd>
            {OVERLAP.find(([name]) => name === schedule?.policies?.overlapPolicy)?.[1] ??
              schedule?.policies?.overlapPolicy ??
              OVERLAP[0][1]}
          </dd>
        </div>
        {counts.map(([label, count]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{formatCount(Number(count ?? 0))}</dd>
          </div>
        ))}
        <div>
          <dt>Created</dt>
          <dd>
            <Time value={info?.createTime} />
          </dd>
        </div>
      </dl>
      <div className="columns-2">
        <section className="card">
          <h2>Recent</h2>
          {(info?.recentActions ?? []).length === 0 ? (
            <p className="faint">nothing yet</p>
          ) : (
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Recent actions</caption>
                <thead>
                  <tr>
                    <th scope="col">Started</th>
                    <th scope="col">Workflow</th>
                    <th scope="col">Status</th>
                  </tr>
                </thead>
                <tbody>
                  {[...(info?.recentActions ?? [])].reverse().map((recent) => (
                    <tr key={`${recent.actualTime} ${recent.startWorkflowResult?.runId}`}>
                      <td>
                        <Time value={recent.actualTime} />
                      </td>
                      <td>
                        <Link
                          to="/namespaces/$namespace/workflows/$workflowId/$runId"
                          params={{
                            namespace,
                            workflowId: recent.startWorkflowResult?.workflowId ?? "",
                            runId: recent.startWorkflowResult?.runId ?? "",
                          }}
                          className="mono"
                        >
                          {recent.startWorkflowResult?.workflowId}
                        </Link>
                      </td>
                      <td>
                        {recent.startWorkflowStatus && (
                          <Status status={recent.startWorkflowStatus} />
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p>
            <Link
              to="/namespaces/$namespace/workflows"
              params={{ namespace }}
              search={{ query: `TemporalScheduledById = ${quote(scheduleId)}` }}
            >
              All that it has started
            </Link>
          </p>
        </section>
        <section className="card">
          <h2>Next</h2>
          {paused ? (
            <p className="faint">Nothing: it is paused.</p>
          ) : (
            <ol className="plain">
              {(info?.futureActionTimes ?? []).slice(0, NEXT_SHOWN).map((time) => (
                <li key={time}>
                  <Time value={time} />
                </li>
              ))}
            </ol>
          )}
        </section>
        <section className="card">
          <h2>Input</h2>
          <PayloadList namespace={namespace} payloads={action?.input?.payloads} empty="no input" />
        </section>
        <section className="card">
          <h2>Specification</h2>
          <Attributes
            namespace={namespace}
            value={{ spec: schedule?.spec, policies: schedule?.policies } as unknown as JsonObject}
          />
        </section>
      </div>
      {dialog !== undefined && (
        <ScheduleDialog
          name={dialog}
          namespace={namespace}
          scheduleId={scheduleId}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}

function ScheduleDialog({
  name,
  namespace,
  scheduleId,
  onClose,
}: {
  name: DialogName;
  namespace: string;
  scheduleId: string;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [overlap, setOverlap] = useState<string>("SCHEDULE_OVERLAP_POLICY_ALLOW_ALL");
  const patch = (change: Patch) => patchSchedule(namespace, scheduleId, change);
  if (name === "delete") {
    return (
      <FormDialog
        title={`Delete ${scheduleId}`}
        submit="Delete schedule"
        danger
        run={() => deleteSchedule(namespace, scheduleId)}
        done={() => {
          toast({ kind: "good", title: "The schedule was deleted" });
          void navigate({
            to: "/namespaces/$namespace/schedules",
            params: { namespace },
            search: {},
          });
        }}
        onClose={onClose}
      >
        <p>Workflows that it has started go on.</p>
      </FormDialog>
    );
  }
  if (name === "backfill") {
    const ready = !Number.isNaN(Date.parse(from)) && !Number.isNaN(Date.parse(to));
    return (
      <FormDialog
        title={`Backfill ${scheduleId}`}
        submit="Backfill"
        ready={ready}
        run={() =>
          patch({
            backfillRequest: [
              {
                startTime: new Date(from).toISOString(),
                endTime: new Date(to).toISOString(),
                overlapPolicy: overlap,
              },
            ],
          })
        }
        done={() => toast({ kind: "good", title: "The backfill has begun" })}
        onClose={onClose}
      >
        <p>Acts as if the time between had come now.</p>
        <div className="field-row">
          <TextField
            label="From"
            hint="of this place"
            type="datetime-local"
            step={1}
            required
            value={from}
            onChange={setFrom}
          />
          <TextField
            label="To"
            hint="of this place"
            type="datetime-local"
            step={1}
            required
            value={to}
            onChange={setTo}
          />
        </div>
        <ChoiceField
          label="If one is open"
          value={overlap}
          choices={OVERLAP}
          onChange={setOverlap}
        />
      </FormDialog>
    );
  }
  return (
    <FormDialog
      title={`${name === "pause" ? "Pause" : "Unpause"} ${scheduleId}`}
      submit={name === "pause" ? "Pause schedule" : "Unpause schedule"}
      run={() => patch({ [name]: text || (name === "pause" ? "paused" : "unpaused") })}
      done={() =>
        toast({ kind: "good", title: `The schedule is ${name === "pause" ? "paused" : "active"}` })
      }
      onClose={onClose}
    >
      <TextField label="Note" value={text} onChange={setText} />
    </FormDialog>
  );
}
