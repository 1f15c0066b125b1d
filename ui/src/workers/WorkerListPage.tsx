import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useWatched } from "../api/watch";
import { CommandsMenu } from "../kit/CommandsMenu";
import { EmptyState, Loaded } from "../kit/states";
import { TextFilter } from "../kit/TextFilter";
import { workersRoute } from "../router";
import { cli } from "../workflows/actions/commands";
import { workersQuery } from "../workflows/page/queries";
import { WorkerTable } from "./WorkerTable";

/** All workers of the namespace that send heartbeats. */
export function WorkerListPage() {
  const { namespace } = workersRoute.useParams();
  const { query = "" } = workersRoute.useSearch();
  const navigate = useNavigate({ from: workersRoute.fullPath });
  const [queue, setQueue] = useState("");
  const workers = useWatched(workersQuery(namespace, query));
  return (
    <div className="page">
      <header className="page-header">
        <h1>Workers</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli("worker", "list", "-n", namespace, ...(query ? ["-q", query] : [])),
            }}
          />
        </div>
      </header>
      <div className="list-tools">
        <TextFilter
          key={query}
          query={query}
          placeholder={'WorkerStatus="Running" AND TaskQueue="orders"'}
          onQuery={(next) => void navigate({ search: { query: next } })}
        />
        <form
          className="row"
          aria-label="Open a task queue"
          onSubmit={(event) => {
            event.preventDefault();
            if (queue.trim() === "") return;
            void navigate({
              to: "/namespaces/$namespace/task-queues/$taskQueue",
              params: { namespace, taskQueue: queue.trim() },
            });
          }}
        >
          <input
            className="input"
            aria-label="Name of a task queue"
            placeholder="Task queue"
            value={queue}
            onChange={(event) => setQueue(event.target.value)}
          />
          <button type="submit" className="button">
            Open
          </button>
        </form>
      </div>
      <Loaded query={workers}>
        {(answer) =>
          (answer.workersInfo ?? answer.workers ?? []).length === 0 ? (
            <EmptyState icon="worker" title="No worker sends heartbeats">
              Newer SDKs do. Workers of older ones are seen at their task queue.
            </EmptyState>
          ) : (
            <WorkerTable namespace={namespace} answer={answer} />
          )
        }
      </Loaded>
    </div>
  );
}
