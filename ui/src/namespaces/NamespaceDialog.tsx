import { useState } from "react";
import { path, post } from "../api/http";
import type { Namespace } from "../api/types";
import { FormDialog } from "../kit/FormDialog";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { durationMillis } from "../time/format";
import { cli } from "../workflows/actions/commands";
import { durationOf, durationProblem, flag, noneOf } from "../workflows/actions/written";

const RETENTION = "3d";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A duration as it would be written, without a loss. */
function exactly(ms: number): string {
  if (ms % DAY_MS === 0) return `${ms / DAY_MS}d`;
  return ms % HOUR_MS === 0 ? `${ms / HOUR_MS}h` : `${ms / 1000}s`;
}

/** Why a text is no name of a namespace. */
const nameProblem = (name: string): string | undefined =>
  /\s/.test(name) ? "no blanks" : undefined;

/** Entries of a namespace's data, one a line. */
const linesOf = (data: Record<string, string> | undefined): string =>
  Object.entries(data ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

function entriesOf(text: string): [string, string][] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    });
}

const dataProblem = (text: string): string | undefined =>
  text.split(",").every((part) => part.trim() === "" || /^\s*[^=\s][^=]*=/.test(part))
    ? undefined
    : "KEY=VALUE, with commas between them";

/** Creates a namespace, or changes one. */
export function NamespaceDialog({
  namespace,
  onCreated,
  onClose,
}: {
  namespace?: Namespace;
  onCreated?: (name: string) => void;
  onClose: () => void;
}) {
  const { namespaceInfo: info, config } = namespace ?? {};
  const kept = durationMillis(config?.workflowExecutionRetentionTtl);
  const [name, setName] = useState(info?.name ?? "");
  const [retention, setRetention] = useState(kept === undefined ? RETENTION : exactly(kept));
  const [description, setDescription] = useState(info?.description ?? "");
  const [email, setEmail] = useState(info?.ownerEmail ?? "");
  const [data, setData] = useState(linesOf(info?.data));
  const problems = {
    name: nameProblem(name),
    retention:
      retention.trim() === "" ? "How long closed workflows are kept" : durationProblem(retention),
    data: dataProblem(data),
  };
  const ready = noneOf(...Object.values(problems));
  const entries = ready ? entriesOf(data) : [];
  return (
    <FormDialog
      title={namespace ? `Change ${name}` : "Create a namespace"}
      submit={namespace ? "Save" : "Create namespace"}
      ready={ready}
      cli={cli(
        "operator",
        "namespace",
        namespace ? "update" : "create",
        "-n",
        name || "NAME",
        ...flag("--retention", retention.replace(/\s/g, "")),
        ...flag("--description", description),
        ...flag("--email", email),
        ...entries.flatMap(([key, value]) => ["--data", `${key}=${value}`]),
      )}
      run={() => {
        const about = { description, ownerEmail: email, data: Object.fromEntries(entries) };
        const period = durationOf(retention);
        return namespace
          ? post(path("namespaces", name, "update"), {
              updateInfo: about,
              config: { workflowExecutionRetentionTtl: period },
            })
          : post("namespaces", {
              namespace: name,
              ...about,
              workflowExecutionRetentionPeriod: period,
            });
      }}
      done={() => {
        toast({ kind: "good", title: namespace ? "Saved" : `The namespace ${name} was created` });
        onCreated?.(name);
      }}
      onClose={onClose}
    >
      {!namespace && (
        <TextField
          label="Name"
          required
          hint="It cannot be changed later."
          error={problems.name}
          value={name}
          onChange={setName}
        />
      )}
      <TextField
        label="Retention of closed workflows"
        required
        hint="as 72h or 3d"
        error={problems.retention}
        value={retention}
        onChange={setRetention}
      />
      <TextField label="Description" value={description} onChange={setDescription} />
      <TextField label="Owner" type="email" hint="an address" value={email} onChange={setEmail} />
      <TextField
        label="Data"
        hint={
          namespace ? "KEY=VALUE, …; what is taken out here stays on the server" : "KEY=VALUE, …"
        }
        error={problems.data}
        value={data}
        onChange={setData}
      />
    </FormDialog>
  );
}
