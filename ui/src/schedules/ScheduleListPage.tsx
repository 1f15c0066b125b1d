import { Link, useNavigate } from "@tanstack/react-router";
import { useMay } from "../access/useMay";
import { useWatched } from "../api/watch";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { type Column, ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { TextFilter } from "../kit/TextFilter";
import { schedulesRoute } from "../router";
import { Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { schedulesQuery } from "./api";
import { describeSpec } from "./describe";
import type { ScheduleListEntry } from "./types";

const columns = (namespace: string): Column<ScheduleListEntry>[] => [
  { label: "State", cell: ({ info }) => <Status status={info?.paused ? "Paused" : "Running"} /> },
  {
    label: "Schedule",
    cell: ({ scheduleId }) => (
      <Link
        to="/namespaces/$namespace/schedules/$scheduleId"
        params={{ namespace, scheduleId }}
        className="row-link mono"
      >
        {scheduleId}
      </Link>
    ),
  },
  { label: "Workflow type", cell: ({ info }) => info?.workflowType?.name },
  { label: "When", cell: ({ info }) => describeSpec(info?.spec).join("; ") },
  { label: "Last", cell: ({ info }) => <Time value={info?.recentActions?.at(-1)?.actualTime} /> },
  {
    label: "Next",
    cell: ({ info }) => <Time value={info?.paused ? undefined : info?.futureActionTimes?.[0]} />,
  },
];

export function ScheduleListPage() {
  const { namespace } = schedulesRoute.useParams();
  const { query = "" } = schedulesRoute.useSearch();
  const navigate = useNavigate({ from: schedulesRoute.fullPath });
  const schedules = useWatched(schedulesQuery(namespace, query));
  const noCreate = useMay()("CreateSchedule");
  const create = (): void =>
    void navigate({ to: "/namespaces/$namespace/new-schedule", params: { namespace } });
  useShortcuts(
    "Schedules",
    noCreate === undefined ? [{ keys: "c", label: "Create a schedule", run: create }] : [],
  );
  return (
    <div className="page">
      <header className="page-header">
        <h1>Schedules</h1>
        <div className="page-actions">
          <CommandsMenu commands={{ cli: cli("schedule", "list", "-n", namespace) }} />
          {noCreate === undefined ? (
            <Link
              to="/namespaces/$namespace/new-schedule"
              params={{ namespace }}
              className="button primary"
            >
              <Icon name="plus" /> Create schedule
            </Link>
          ) : (
            <ActionButton refused={noCreate} onClick={create}>
              <Icon name="plus" /> Create schedule
            </ActionButton>
          )}
        </div>
      </header>
      <TextFilter
        key={query}
        query={query}
        placeholder="TemporalSchedulePaused = true"
        onQuery={(next) => void navigate({ search: { query: next } })}
      />
      <Loaded query={schedules}>
        {({ schedules: all = [] }) =>
          all.length === 0 ? (
            <EmptyState
              icon="calendar"
              title={query === "" ? "No schedules yet" : "No schedule fits this filter"}
            >
              A schedule starts workflows at times that you say.
            </EmptyState>
          ) : (
            <ListTable
              caption="Schedules"
              rows={all}
              keyOf={({ scheduleId }) => scheduleId}
              columns={columns(namespace)}
            />
          )
        }
      </Loaded>
    </div>
  );
}
