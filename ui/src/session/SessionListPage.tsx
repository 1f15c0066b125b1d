import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "../access/useMay";
import { ActionButton } from "../kit/ActionButton";
import { FindField } from "../kit/FindField";
import { FormDialog } from "../kit/FormDialog";
import { ListTable } from "../kit/ListTable";
import { EmptyState, Loaded } from "../kit/states";
import { toast } from "../kit/toasts";
import { Time } from "../time/Time";
import { shellWord } from "../workflows/actions/commands";
import { endSession, found, type OpenSession, personOf, sessionsQuery } from "./sessions";
import "../styles/list.css";

/** Who is signed in, and an end to it. */
export function SessionListPage() {
  const sessions = useQuery(sessionsQuery);
  const mayEnd = useMay("")("EndSession");
  const [words, setWords] = useState("");
  const [ending, setEnding] = useState<OpenSession | undefined>();
  return (
    <div className="page">
      <header className="page-header">
        <h1>Sessions</h1>
        <span className="faint">who is signed in to these pages</span>
      </header>
      <div className="list-tools">
        <FindField
          view="Sessions"
          label="Find a session"
          placeholder="A name, an address, a provider …"
          value={words}
          onValue={setWords}
        />
      </div>
      <Loaded query={sessions}>
        {({ sessions: all, total }) => {
          const rows = found(all, words);
          return (
            <>
              <p className="faint" role="status">
                {rows.length === all.length
                  ? `${total} sessions`
                  : `${rows.length} of ${total} sessions`}
                {total > all.length && `: the ${all.length} that were used last are here`}
              </p>
              {rows.length === 0 ? (
                <EmptyState icon="search" title="No session fits" />
              ) : (
                <ListTable
                  caption="Sessions"
                  rows={rows}
                  keyOf={({ id }) => id}
                  columns={[
                    {
                      label: "Who",
                      cell: (row) => (
                        <>
                          {personOf(row)} <span className="faint">{row.email}</span>
                        </>
                      ),
                    },
                    { label: "Provider", cell: ({ provider }) => provider || "unknown" },
                    {
                      label: "From",
                      cell: ({ address }) => <span className="mono">{address || "unknown"}</span>,
                    },
                    { label: "Since", cell: ({ created }) => <Time value={created} /> },
                    { label: "Last used", cell: ({ used }) => <Time value={used} /> },
                    { label: "Ends", cell: ({ expires }) => <Time value={expires} /> },
                    {
                      label: "Action",
                      cell: (row) => (
                        <ActionButton
                          refused={mayEnd}
                          className="button danger"
                          onClick={() => setEnding(row)}
                        >
                          End
                          <span className="visually-hidden"> the session of {personOf(row)}</span>
                        </ActionButton>
                      ),
                    },
                  ]}
                />
              )}
            </>
          );
        }}
      </Loaded>
      {ending && (
        <FormDialog
          title={`End the session of ${personOf(ending)}`}
          submit="End session"
          danger
          cli={`longtide auth sessions end ${shellWord(ending.id)}`}
          run={() => endSession(ending.id)}
          done={() => toast({ kind: "good", title: "The session has ended" })}
          onClose={() => setEnding(undefined)}
        >
          <p>
            What is open there says so at once. Whoever may sign in can do so again: to keep
            somebody out, take the account or its roles away at the provider.
          </p>
        </FormDialog>
      )}
    </div>
  );
}
