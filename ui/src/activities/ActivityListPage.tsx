import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { type Column, ListTable } from "../kit/ListTable";
import { Status } from "../kit/Status";
import { EmptyState, Loaded } from "../kit/states";
import { TextFilter } from "../kit/TextFilter";
import { activitiesRoute } from "../router";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";
import { type ActivityListInfo, activitiesQuery } from "./queries";

const columns = (namespace: string): Column<ActivityListInfo>[] => [
  { label: "Status", cell: ({ status }) => <Status status={status} /> },
  {
    label: "Activity id",
    cell: ({ activityId, runId }) => (
      <Link
        to="/namespaces/$namespace/activities/$activityId/$runId"
        params={{ namespace, activityId, runId }}
        className="row-link mono"
      >
        {activityId}
      </Link>
    ),
  },
  { label: "Type", cell: ({ activityType }) => activityType?.name },
  { label: "Scheduled", cell: ({ scheduleTime }) => <Time value={scheduleTime} /> },
  {
    label: "Took",
    cell: ({ scheduleTime, closeTime }) => <Elapsed from={scheduleTime} to={closeTime} />,
  },
  { label: "Task queue", cell: ({ taskQueue }) => taskQueue },
];

/** Activities that no workflow runs. */
export function ActivityListPage() {
  const { namespace } = activitiesRoute.useParams();
  const { query = "" } = activitiesRoute.useSearch();
  const navigate = useNavigate({ from: activitiesRoute.fullPath });
  const activities = useQuery(activitiesQuery(namespace, query));
  useShortcuts("Standalone activities", [
    {
      keys: "c",
      label: "Start an activity",
      run: () =>
        void navigate({ to: "/namespaces/$namespace/start-activity", params: { namespace } }),
    },
  ]);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Standalone activities</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{ cli: cli("activity", "list", "-n", namespace, ...flag("-q", query)) }}
          />
          <Link
            to="/namespaces/$namespace/start-activity"
            params={{ namespace }}
            className="button primary"
          >
            <Icon name="plus" /> Start activity
          </Link>
        </div>
      </header>
      <TextFilter
        key={query}
        query={query}
        placeholder={'ActivityType = "charge" AND ExecutionStatus = "Running"'}
        onQuery={(next) => void navigate({ search: { query: next } })}
      />
      <Loaded query={activities}>
        {({ executions = [] }) =>
          executions.length === 0 ? (
            <EmptyState
              icon="bolt"
              title={query === "" ? "No standalone activities" : "None fits the filter"}
            >
              Activities of workflows are shown with their workflow.
            </EmptyState>
          ) : (
            <ListTable
              caption="Standalone activities"
              rows={executions}
              keyOf={({ runId }) => runId}
              columns={columns(namespace)}
            />
          )
        }
      </Loaded>
    </div>
  );
}
