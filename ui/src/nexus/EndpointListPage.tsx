import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { address, call, get, path, post } from "../api/http";
import type { Payload } from "../api/types";
import { CommandsMenu } from "../kit/CommandsMenu";
import { Field } from "../kit/Field";
import { Icon } from "../kit/icons";
import { EmptyState, Loaded } from "../kit/states";
import { toast } from "../kit/toasts";
import { jsonPayload, stringFrom } from "../payloads/decode";
import { Markdown } from "../payloads/Markdown";
import { Time } from "../time/Time";
import { cli, curl } from "../workflows/actions/commands";
import { FormDialog } from "../workflows/actions/Dialogs";

interface Endpoint {
  id: string;
  version?: string;
  createdTime?: string;
  spec?: {
    name?: string;
    description?: Payload;
    target?: {
      worker?: { namespace?: string; taskQueue?: string };
      external?: { url?: string };
    };
  };
}

/** Nexus endpoints of the server. */
export function EndpointListPage() {
  const endpoints = useQuery({
    queryKey: ["nexus-endpoints"],
    queryFn: ({ signal }) =>
      get<{ endpoints?: Endpoint[] }>("nexus/endpoints", { query: { pageSize: 100 }, signal }),
  });
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
          <button type="button" className="button primary" onClick={() => setEditing("new")}>
            <Icon name="plus" /> Create endpoint
          </button>
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
                      <button type="button" className="button" onClick={() => setEditing(endpoint)}>
                        Edit
                      </button>
                      <button
                        type="button"
                        className="button danger"
                        onClick={() => setDeleting(endpoint)}
                      >
                        Delete
                      </button>
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

function EndpointDialog({
  endpoint,
  onClose,
}: {
  endpoint: Endpoint | undefined;
  onClose: () => void;
}) {
  const [name, setName] = useState(endpoint?.spec?.name ?? "");
  const [description, setDescription] = useState(stringFrom(endpoint?.spec?.description) ?? "");
  const [external, setExternal] = useState(endpoint?.spec?.target?.external?.url !== undefined);
  const [namespace, setNamespace] = useState(
    endpoint?.spec?.target?.worker?.namespace ?? "default",
  );
  const [taskQueue, setTaskQueue] = useState(endpoint?.spec?.target?.worker?.taskQueue ?? "");
  const [url, setUrl] = useState(endpoint?.spec?.target?.external?.url ?? "");
  const field = (
    label: string,
    value: string,
    onChange: (value: string) => void,
    required = true,
  ) => (
    <Field label={label}>
      {(props) => (
        <input
          {...props}
          className="input"
          required={required}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
  return (
    <FormDialog
      title={endpoint ? `Edit ${endpoint.spec?.name}` : "Create a Nexus endpoint"}
      submit={endpoint ? "Save" : "Create"}
      run={() => {
        const spec = {
          name,
          description: description === "" ? undefined : jsonPayload(JSON.stringify(description)),
          target: external ? { external: { url } } : { worker: { namespace, taskQueue } },
        };
        return endpoint
          ? post(path("nexus", "endpoints", endpoint.id, "update"), {
              version: endpoint.version,
              spec,
            })
          : post("nexus/endpoints", { spec });
      }}
      done={() => toast({ kind: "good", title: endpoint ? "Saved" : "The endpoint was created" })}
      onClose={onClose}
    >
      {field("Name", name, setName)}
      <fieldset className="field">
        <legend>Leads to</legend>
        <label className="check">
          <input
            type="radio"
            name="target"
            checked={!external}
            onChange={() => setExternal(false)}
          />{" "}
          a task queue
        </label>
        <label className="check">
          <input type="radio" name="target" checked={external} onChange={() => setExternal(true)} />{" "}
          an address
        </label>
      </fieldset>
      {external ? (
        field("Address", url, setUrl)
      ) : (
        <div className="field-row">
          {field("Namespace", namespace, setNamespace)}
          {field("Task queue", taskQueue, setTaskQueue)}
        </div>
      )}
      {field("Description (Markdown)", description, setDescription, false)}
    </FormDialog>
  );
}
