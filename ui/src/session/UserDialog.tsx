import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { permissionsQuery } from "../access/permissions";
import { Dialog } from "../kit/Dialog";
import { useStore } from "../kit/store";
import { toastError } from "../kit/toasts";
import { useNamespace } from "../shell/useNamespace";
import { Time } from "../time/Time";
import { signOut } from "./actions";
import { sessionStore } from "./session";

/** Who is signed in, with what roles, and the way out. */
export function UserDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [leaving, setLeaving] = useState(false);
  const namespace = useNamespace();
  const { session } = useStore(sessionStore);
  const { data: permissions } = useQuery(permissionsQuery(namespace));
  const { user, expires } = session ?? {};
  const roles = permissions?.roles ?? [];
  return (
    <Dialog title={user?.name ?? permissions?.principal ?? "Nobody"} onClose={onClose}>
      <div className="dialog-body">
        <dl className="attributes">
          {user?.email !== undefined && (
            <div>
              <dt>E-mail</dt>
              <dd>{user.email}</dd>
            </div>
          )}
          {permissions?.principal != null && (
            <div>
              <dt>Known to the server as</dt>
              <dd className="mono">
                {permissions.kind}:{permissions.principal}
              </dd>
            </div>
          )}
          <div>
            <dt>Roles</dt>
            <dd>
              {permissions == null || permissions.known === false ? (
                "unknown: the server decides"
              ) : roles.length === 0 ? (
                "none"
              ) : (
                <ul className="plain" aria-label="Roles">
                  {roles.map((role) => (
                    <li key={role} className="mono">
                      {role}
                    </li>
                  ))}
                </ul>
              )}
            </dd>
          </div>
          {expires !== undefined && (
            <div>
              <dt>Signed in until</dt>
              <dd>
                <Time value={new Date(expires).toISOString()} />
              </dd>
            </div>
          )}
        </dl>
      </div>
      <footer className="dialog-footer">
        <button
          type="button"
          className="button"
          onClick={() => {
            onClose();
            void navigate({ to: "/namespaces/$namespace/access", params: { namespace } });
          }}
        >
          What may I do?
        </button>
        {user !== undefined && (
          <button
            type="button"
            className="button primary"
            // A second time would lead away from the provider, which ends its own session.
            disabled={leaving}
            onClick={() => {
              setLeaving(true);
              signOut().catch((error: unknown) => {
                setLeaving(false);
                toastError("You are not signed out", error);
              });
            }}
          >
            Sign out
          </button>
        )}
      </footer>
    </Dialog>
  );
}
