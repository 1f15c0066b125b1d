import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { activitiesRoute } from "../router";
import { Elapsed, Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { activitiesQuery } from "./queries";

/** Activities that no workflow runs. */
export function ActivityListPage() {
  const { namespace } = activitiesRoute.useParams();
  const { query = "" } = activitiesRoute.useSearch();
  const navigate = useNavigate({ from: activitiesRoute.fullPath });
  const [typed, setTyped] = useState(query);
  const activities = useQuery(activitiesQuery(namespace, query));
  return (
    <div className="page">
      <header className="page-header">
        <h1>Standalone activities</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli("activity", "list", "-n", namespace, ...(query ? ["-q", query] : [])),
            }}
          />
        </div>
      </header>
      <form
        className="filter-bar"
        aria-label="Filter"
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ search: { query: typed.trim() || undefined } });
        }}
      >
        <div className="filter-field">
          <Icon name="search" />
          <input
            className="filter-input mono"
            aria-label="Filter as text"
            placeholder={'ActivityType = "charge" AND ExecutionStatus = "Running"'}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
      </form>
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
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Standalone activities</caption>
                <thead>
                  <tr>
                    <th scope="col">Status</th>
                    <th scope="col">Activity id</th>
                    <th scope="col">Type</th>
                    <th scope="col">Scheduled</th>
                    <th scope="col">Took</th>
                    <th scope="col">Task queue</th>
                  </tr>
                </thead>
                <tbody>
                  {executions.map((activity) => (
                    <tr key={activity.runId}>
                      <td>
                        <Status status={activity.status} />
                      </td>
                      <td>
                        <Link
                          to="/namespaces/$namespace/activities/$activityId/$runId"
                          params={{
                            namespace,
                            activityId: activity.activityId,
                            runId: activity.runId,
                          }}
                          className="row-link mono"
                        >
                          {activity.activityId}
                        </Link>
                      </td>
                      <td>{activity.activityType?.name}</td>
                      <td>
                        <Time value={activity.scheduleTime} />
                      </td>
                      <td>
                        <Elapsed from={activity.scheduleTime} to={activity.closeTime} />
                      </td>
                      <td>{activity.taskQueue}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </div>
  );
}
