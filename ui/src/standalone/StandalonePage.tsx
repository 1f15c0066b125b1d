import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useMay } from "../access/useMay";
import { IDENTITY, post, within } from "../api/http";
import { type Action, useForbidden } from "../api/serverSettings";
import type { Failure, JsonObject, Payload } from "../api/types";
import { ActionButton } from "../kit/ActionButton";
import { CommandsMenu } from "../kit/CommandsMenu";
import { ReasonDialog } from "../kit/ReasonDialog";
import { Status } from "../kit/Status";
import { Loaded } from "../kit/states";
import { PayloadList } from "../payloads/PayloadView";
import { newId } from "../workflows/actions/api";
import { cli } from "../workflows/actions/commands";
import { flag } from "../workflows/actions/written";
import { Attributes } from "../workflows/history/Attributes";
import { FailureView } from "../workflows/page/FailureView";
import "../styles/workflow.css";

/** What is shown of something that no workflow waits for. */
export interface Standalone {
  status: string | undefined;
  closed: boolean;
  input: Payload[] | undefined;
  failure: Failure | undefined;
  result: Payload[] | undefined;
  /** Of the last heartbeat, where there are any. */
  details?: Payload[] | undefined;
  /** All the rest. */
  attributes: JsonObject;
}

/** How a kind of them is named, and where it is. */
export interface Kind {
  /** The path below the namespace. */
  path: string;
  command: readonly string[];
  idFlag: string;
  cancel: Verb;
  terminate: Verb;
  /** What it does, for servers that forbid some of it. */
  action?: Action;
}

interface Verb {
  /** What happens, what the button says, and what is said afterwards. */
  text: string;
  submit: string;
  done: string;
  /** The method that the user may have to have a right to. */
  method: string;
}

/** One activity or one Nexus operation that no workflow waits for. */
export function StandalonePage<T>({
  kind,
  namespace,
  id,
  runId,
  up,
  described,
  read,
}: {
  kind: Kind;
  namespace: string;
  id: string;
  runId: string;
  /** The way to the list. */
  up: ReactNode;
  described: UseQueryResult<T>;
  read: (answer: T) => Standalone;
}) {
  const may = useMay();
  const forbidden = useForbidden();
  const [verb, setVerb] = useState<"cancel" | "terminate" | undefined>();
  const { path, command, idFlag, action = "write" } = kind;
  const target = ["-n", namespace, idFlag, id, "--run-id", runId];
  const refused = (of: "cancel" | "terminate"): string | undefined =>
    forbidden(action) ?? may(kind[of].method);
  return (
    <div className="page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        {up}
      </nav>
      <Loaded query={described}>
        {(answer) => {
          const { status, closed, input, failure, result, details, attributes } = read(answer);
          return (
            <>
              <header className="page-header">
                <Status status={status} />
                <h1 className="mono">{id}</h1>
                <div className="page-actions">
                  <CommandsMenu commands={{ cli: cli(...command, "describe", ...target) }} />
                  {!closed && (
                    <>
                      <ActionButton refused={refused("cancel")} onClick={() => setVerb("cancel")}>
                        Cancel…
                      </ActionButton>
                      <ActionButton
                        refused={refused("terminate")}
                        className="button danger"
                        onClick={() => setVerb("terminate")}
                      >
                        Terminate…
                      </ActionButton>
                    </>
                  )}
                </div>
              </header>
              <div className="panes">
                <section className="pane">
                  <h2>Input</h2>
                  <PayloadList namespace={namespace} payloads={input} empty="no input" />
                </section>
                <section className="pane">
                  <h2>{failure ? "Failure" : "Result"}</h2>
                  {failure ? (
                    <FailureView namespace={namespace} failure={failure} />
                  ) : (
                    <PayloadList
                      namespace={namespace}
                      payloads={result}
                      empty={closed ? "no result" : "not yet"}
                    />
                  )}
                </section>
              </div>
              <section className="card">
                <h2>Settings and state</h2>
                <Attributes namespace={namespace} value={attributes} />
              </section>
              {details && (
                <section className="card">
                  <h2>Details of the last heartbeat</h2>
                  <PayloadList namespace={namespace} payloads={details} />
                </section>
              )}
            </>
          );
        }}
      </Loaded>
      {verb !== undefined && (
        <ReasonDialog
          text={kind[verb].text}
          submit={kind[verb].submit}
          done={kind[verb].done}
          title={`${verb === "cancel" ? "Cancel" : "Terminate"} ${id}`}
          danger={verb === "terminate"}
          action={action}
          cli={(reason) => cli(...command, verb, ...target, ...flag("--reason", reason))}
          run={(reason) =>
            post(within(namespace, path, id, verb), {
              runId,
              reason,
              identity: IDENTITY,
              requestId: newId(),
            })
          }
          onClose={() => setVerb(undefined)}
        />
      )}
    </div>
  );
}
