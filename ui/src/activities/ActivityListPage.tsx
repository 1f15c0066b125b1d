import { Link, useNavigate } from "@tanstack/react-router";
import { useWatched } from "../api/watch";
import { activitiesRoute } from "../router";
import { StandaloneListPage } from "../standalone/StandaloneListPage";
import { activitiesQuery } from "./queries";

/** Activities that no workflow runs. */
export function ActivityListPage() {
  const { namespace } = activitiesRoute.useParams();
  const { query = "" } = activitiesRoute.useSearch();
  const navigate = useNavigate({ from: activitiesRoute.fullPath });
  return (
    <StandaloneListPage
      title="Standalone activities"
      icon="bolt"
      start={{
        to: "/namespaces/$namespace/start-activity",
        label: "Start an activity",
        button: "Start activity",
      }}
      command={["activity"]}
      namespace={namespace}
      query={query}
      placeholder={'ActivityType = "charge" AND ExecutionStatus = "Running"'}
      onQuery={(next) => void navigate({ search: { query: next } })}
      listed={useWatched(activitiesQuery(namespace, query))}
      rowsOf={({ executions = [] }) => executions}
      id={{
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
      }}
      columns={{
        before: [{ label: "Type", cell: ({ activityType }) => activityType?.name }],
        after: [{ label: "Task queue", cell: ({ taskQueue }) => taskQueue }],
      }}
    >
      Activities of workflows are shown with their workflow.
    </StandaloneListPage>
  );
}
