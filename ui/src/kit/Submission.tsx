import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Action, useForbidden } from "../api/serverSettings";
import { CopyCommand } from "./CommandsMenu";
import { FormError } from "./FormError";

export interface SubmissionProps<T> {
  /** What the button says. */
  submit: string;
  danger?: boolean;
  /** Whether the form is filled in so that it may be sent. */
  ready?: boolean;
  /** What it does, for servers that forbid some of it. */
  action?: Action;
  /** The same as a command. */
  cli?: string | undefined;
  run: () => Promise<T>;
  /** Called with the answer. */
  done: (answer: T) => unknown;
  children: ReactNode;
}

/** A form that is sent: it stays as it is when the server refuses, and says why. */
export function Submission<T>({
  submit,
  danger = false,
  ready = true,
  action = "write",
  cli,
  run,
  done,
  children,
  onClose,
  className,
}: SubmissionProps<T> & {
  /** For a form that can be closed. */
  onClose?: () => void;
  /** Of the form, its fields and its foot. */
  className: { form?: string; body?: string; foot: string };
}) {
  const client = useQueryClient();
  const forbidden = useForbidden()(action);
  const sending = useMutation({
    mutationFn: run,
    onSuccess: (answer) => {
      done(answer);
      // Everything may have changed.
      void client.invalidateQueries();
    },
  });
  const possible = ready && forbidden === undefined && !sending.isPending;
  return (
    <form
      className={className.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (possible) sending.mutate();
      }}
    >
      <div className={className.body}>
        {children}
        {forbidden !== undefined && <p className="note">{forbidden}</p>}
        <FormError error={sending.error} />
      </div>
      <footer className={className.foot}>
        {cli !== undefined && <CopyCommand cli={cli} />}
        {onClose && (
          <button type="button" className="button" onClick={onClose}>
            Close
          </button>
        )}
        <button
          type="submit"
          className={danger ? "button danger" : "button primary"}
          disabled={!possible}
        >
          {sending.isPending ? "Sending…" : submit}
        </button>
      </footer>
    </form>
  );
}

/** A form that is a page's content. */
export function FormPage<T>(props: SubmissionProps<T>) {
  return (
    <Submission {...props} className={{ form: "form card", body: "form", foot: "form-footer" }} />
  );
}
