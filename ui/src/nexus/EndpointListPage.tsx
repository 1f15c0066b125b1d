import { useState } from "react";
import { useMay } from "../access/useMay";
import { address, call, path } from "../api/http";
import { useWatched } from "../api/watch";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { FormDialog } from "../kit/FormDialog";
import { Icon } from "../kit/icons";
import { EmptyState, Loaded } from "../kit/states";
import { toast } from "../kit/toasts";
import { stringFrom } from "../payloads/decode";
import { Markdown } from "../payloads/Markdown";
import { Time } from "../time/Time";
import { cli, curl } from "../workflows/actions/commands";
import { EndpointDialog } from "./EndpointDialog";
import { type Endpoint, endpointsQuery } from "./queries";

/** Nexus endpoints of the server. */
export function EndpointListPage() {
  const endpoints = useWatched(endpointsQuery);
  const may = useMay();
  const [editing, setEditing] = useState<Endpoint | "new" | undefined>();
  const [deleting, setDeleting] = useState<Endpoint | undefined>();
  return (
    <div className="page">
      <header className="page-header">
        <h1>Nexus endpoints</h1>
        <div className="page-actions">
          <CommandsMenu
            commands={{
              cli: cli("operator", "nexus", "endpoint", "list"),
              curl: curl("GET", address("api/v1/nexus/endpoints")),
            }}
          />
          <ActionButton
            refused={may("CreateNexusEndpoint")}
            className="button primary"
            onClick={() => setEditing("new")}
          >
            <Icon name="plus" /> Create endpoint
          </ActionButton>
        </div>
      </header>
      <Loaded query={endpoints}>
        {({ endpoints: all = [] }) =>
          all.length === 0 ? (
            <EmptyState icon="nexus" title="No Nexus endpoints">
              An endpoint leads calls of workflows to a task queue, in this namespace or another
              one.
            </EmptyState>
          ) : (
            <div className="stack">
              {all.map((endpoint) => {
                const description = stringFrom(endpoint.spec?.description);
                const { worker, external } = endpoint.spec?.target ?? {};
                return (
                  <article key={endpoint.id} className="card">
                    <header className="card-header">
                      <h2>{endpoint.spec?.name}</h2>
                      <span className="mono faint">{endpoint.id}</span>
                      <span className="spacer" />
                      <ActionButton
                        refused={may("UpdateNexusEndpoint")}
                        onClick={() => setEditing(endpoint)}
                      >
                        Edit
                      </ActionButton>
                      <ActionButton
                        refused={may("DeleteNexusEndpoint")}
                        className="button danger"
                        onClick={() => setDeleting(endpoint)}
                      >
                        Delete
                      </ActionButton>
                    </header>
                    <p>
                      {worker ? (
                        <>
                          to task queue <span className="mono">{worker.taskQueue}</span> in
                          namespace <span className="mono">{worker.namespace}</span>
                        </>
                      ) : (
                        <>
                          to <span className="mono">{external?.url}</span>
                        </>
                      )}{" "}
                      <span className="faint">
                        · created <Time value={endpoint.createdTime} />
                      </span>
                    </p>
                    {description && <Markdown text={description} />}
                  </article>
                );
              })}
            </div>
          )
        }
      </Loaded>
      {editing !== undefined && (
        <EndpointDialog
          endpoint={editing === "new" ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {deleting && (
        <FormDialog
          title={`Delete ${deleting.spec?.name}`}
          submit="Delete endpoint"
          danger
          cli={cli("operator", "nexus", "endpoint", "delete", "--name", deleting.spec?.name ?? "")}
          run={() =>
            call("DELETE", path("nexus", "endpoints", deleting.id), {
              query: { version: deleting.version },
            })
          }
          done={() => toast({ kind: "good", title: "The endpoint was deleted" })}
          onClose={() => setDeleting(undefined)}
        >
          <p>Calls to it fail from then on.</p>
        </FormDialog>
      )}
    </div>
  );
}
