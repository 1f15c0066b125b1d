import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Icon } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { Status } from "../kit/Status";
import { focusableWhenScrolling } from "../kit/scrolling";
import { EmptyState, Loaded } from "../kit/states";
import { schedulesRoute } from "../router";
import { Time } from "../time/Time";
import { cli } from "../workflows/actions/commands";
import { schedulesQuery } from "./api";
import { describeSpec } from "./describe";

export function ScheduleListPage() {
  const { namespace } = schedulesRoute.useParams();
  const { query = "" } = schedulesRoute.useSearch();
  const navigate = useNavigate({ from: schedulesRoute.fullPath });
  const [typed, setTyped] = useState(query);
  const schedules = useQuery(schedulesQuery(namespace, query));
  useShortcuts("Schedules", [
    {
      keys: "c",
      label: "Create a schedule",
      run: () =>
        void navigate({ to: "/namespaces/$namespace/new-schedule", params: { namespace } }),
    },
  ]);
  return (
    <div className="page">
      <header className="page-header">
        <h1>Schedules</h1>
        <div className="page-actions">
          <CommandsMenu commands={{ cli: cli("schedule", "list", "-n", namespace) }} />
          <Link
            to="/namespaces/$namespace/new-schedule"
            params={{ namespace }}
            className="button primary"
          >
            <Icon name="plus" /> Create schedule
          </Link>
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
            placeholder="TemporalSchedulePaused = true"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
      </form>
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
            <div ref={focusableWhenScrolling} className="table-frame">
              <table className="table">
                <caption className="visually-hidden">Schedules</caption>
                <thead>
                  <tr>
                    <th scope="col">State</th>
                    <th scope="col">Schedule</th>
                    <th scope="col">Workflow type</th>
                    <th scope="col">When</th>
                    <th scope="col">Last</th>
                    <th scope="col">Next</th>
                  </tr>
                </thead>
                <tbody>
                  {all.map(({ scheduleId, info }) => (
                    <tr key={scheduleId}>
                      <td>
                        <Status status={info?.paused ? "Paused" : "Running"} />
                      </td>
                      <td>
                        <Link
                          to="/namespaces/$namespace/schedules/$scheduleId"
                          params={{ namespace, scheduleId }}
                          className="row-link mono"
                        >
                          {scheduleId}
                        </Link>
                      </td>
                      <td>{info?.workflowType?.name}</td>
                      <td>{describeSpec(info?.spec).join("; ")}</td>
                      <td>
                        <Time value={info?.recentActions?.at(-1)?.actualTime} />
                      </td>
                      <td>
                        <Time value={info?.paused ? undefined : info?.futureActionTimes?.[0]} />
                      </td>
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
