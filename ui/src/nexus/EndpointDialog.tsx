import { useState } from "react";
import { path, post } from "../api/http";
import { FormDialog } from "../kit/FormDialog";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { stringFrom } from "../payloads/decode";
import { cli } from "../workflows/actions/commands";
import { flag, noneOf, textPayload } from "../workflows/actions/written";
import { nameProblem, urlProblem } from "./check";
import type { Endpoint } from "./queries";

/** Creates an endpoint, or changes one. */
export function EndpointDialog({
  endpoint,
  onClose,
}: {
  endpoint: Endpoint | undefined;
  onClose: () => void;
}) {
  const { spec } = endpoint ?? {};
  const { worker } = spec?.target ?? {};
  const [name, setName] = useState(spec?.name ?? "");
  const [description, setDescription] = useState(stringFrom(spec?.description) ?? "");
  const [external, setExternal] = useState(spec?.target?.external !== undefined);
  const [namespace, setNamespace] = useState(worker?.namespace ?? "default");
  const [taskQueue, setTaskQueue] = useState(worker?.taskQueue ?? "");
  const [url, setUrl] = useState(spec?.target?.external?.url ?? "");
  const problems = {
    name: nameProblem(name),
    url: external ? urlProblem(url) : undefined,
  };
  return (
    <FormDialog
      title={endpoint ? `Edit ${spec?.name}` : "Create a Nexus endpoint"}
      submit={endpoint ? "Save" : "Create"}
      ready={noneOf(...Object.values(problems))}
      cli={cli(
        "operator",
        "nexus",
        "endpoint",
        endpoint ? "update" : "create",
        "--name",
        name || "NAME",
        ...(external
          ? ["--target-url", url || "URL"]
          : ["--target-namespace", namespace, "--target-task-queue", taskQueue || "QUEUE"]),
        ...flag("--description", description),
        ...(endpoint && description === "" ? ["--unset-description"] : []),
      )}
      run={() => {
        const changed = {
          name,
          description: textPayload(description),
          target: external ? { external: { url } } : { worker: { namespace, taskQueue } },
        };
        return endpoint
          ? post(path("nexus", "endpoints", endpoint.id, "update"), {
              version: endpoint.version,
              spec: changed,
            })
          : post("nexus/endpoints", { spec: changed });
      }}
      done={() => toast({ kind: "good", title: endpoint ? "Saved" : "The endpoint was created" })}
      onClose={onClose}
    >
      <TextField label="Name" required error={problems.name} value={name} onChange={setName} />
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
        <TextField label="Address" required error={problems.url} value={url} onChange={setUrl} />
      ) : (
        <div className="field-row">
          <TextField label="Namespace" required value={namespace} onChange={setNamespace} />
          <TextField label="Task queue" required value={taskQueue} onChange={setTaskQueue} />
        </div>
      )}
      <TextField label="Description (Markdown)" value={description} onChange={setDescription} />
    </FormDialog>
  );
}
