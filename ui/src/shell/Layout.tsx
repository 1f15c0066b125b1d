import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { Gate } from "../access/Gate";
import { permissionsQuery } from "../access/permissions";
import { useMay } from "../access/useMay";
import { Icon, type IconName } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { ErrorBoundary } from "../kit/states";
import { useStore } from "../kit/store";
import { Toasts } from "../kit/toasts";
import { systemInfoQuery } from "../namespaces/queries";
import { SessionNotice } from "../session/SessionNotice";
import { sessionStore } from "../session/session";
import { changeSettings, lastNamespaceStore, useSettings } from "../settings/store";
import { EarlyPalette } from "./EarlyPalette";
import { keepKeys, takeKeys } from "./early";
import { NamespaceSwitcher } from "./NamespaceSwitcher";
import { useNamespace } from "./useNamespace";
import { Wave } from "./Wave";

const loadPalette = () => import("./CommandPalette");
const CommandPalette = lazy(() =>
  loadPalette().then((module) => ({ default: module.CommandPalette })),
);
/** It is loaded beforehand, when the page itself has been. */
const PALETTE_LOADED_AFTER_MS = 1_500;
const ShortcutSheet = lazy(() =>
  import("./ShortcutSheet").then((module) => ({ default: module.ShortcutSheet })),
);

const UserDialog = lazy(() =>
  import("../session/UserDialog").then((module) => ({ default: module.UserDialog })),
);

interface View {
  to: string;
  label: string;
  icon: IconName;
  keys: string;
  /** The method without which the view is not offered. */
  needs?: string;
}

/** Views within a namespace, with the keys that lead there. */
export const NAMESPACE_VIEWS = [
  {
    to: "/namespaces/$namespace/workflows",
    label: "Workflows",
    icon: "workflow",
    keys: "g w",
    needs: "ListWorkflowExecutions",
  },
  {
    to: "/namespaces/$namespace/schedules",
    label: "Schedules",
    icon: "calendar",
    keys: "g s",
    needs: "ListSchedules",
  },
  {
    to: "/namespaces/$namespace/activities",
    label: "Activities",
    icon: "bolt",
    keys: "g a",
    needs: "ListActivityExecutions",
  },
  {
    to: "/namespaces/$namespace/nexus-operations",
    label: "Nexus operations",
    icon: "nexus",
    keys: "g e",
    needs: "ListNexusOperationExecutions",
  },
  {
    to: "/namespaces/$namespace/batch-operations",
    label: "Batch operations",
    icon: "stack",
    keys: "g b",
    needs: "ListBatchOperations",
  },
  {
    to: "/namespaces/$namespace/workers",
    label: "Workers",
    icon: "worker",
    keys: "g k",
    needs: "ListWorkers",
  },
  {
    to: "/namespaces/$namespace/deployments",
    label: "Deployments",
    icon: "ship",
    keys: "g d",
    needs: "ListWorkerDeployments",
  },
  { to: "/namespaces/$namespace/access", label: "Access", icon: "key", keys: "g p" },
] as const satisfies readonly View[];

/** Views of the whole server. */
export const SERVER_VIEWS = [
  { to: "/namespaces", label: "Namespaces", icon: "box", keys: "g n" },
  { to: "/nexus", label: "Nexus endpoints", icon: "nexus", keys: "g x" },
  { to: "/audit", label: "Audit log", icon: "log", keys: "g l", needs: "ReadAuditLog" },
  { to: "/sessions", label: "Sessions", icon: "user", keys: "g i", needs: "ListSessions" },
  { to: "/open-history", label: "Open a history", icon: "download", keys: "g o" },
  { to: "/settings", label: "Settings", icon: "gear", keys: "g ," },
] as const satisfies readonly View[];

const DARK = "(prefers-color-scheme: dark)";

export function toggleTheme(theme: string): void {
  const dark = theme === "dark" || (theme === "system" && matchMedia(DARK).matches);
  changeSettings({ theme: dark ? "light" : "dark" });
}

export function Layout() {
  const namespace = useNamespace();
  const params = useParams({ strict: false });
  const location = useLocation();
  const navigate = useNavigate();
  const { theme, density } = useSettings();
  const [open, setOpen] = useState<"palette" | "sheet" | "user" | undefined>();
  const system = useQuery(systemInfoQuery);
  const { session } = useStore(sessionStore);
  const { data: permissions } = useQuery(permissionsQuery(namespace));
  const may = useMay();
  const isOffered = ({ to, needs }: View): boolean =>
    (needs === undefined || may(needs) === undefined) &&
    (to !== "/audit" || permissions?.auditLog === true) &&
    (to !== "/sessions" ||
      (session?.enabled === true && permissions?.decisions?.ListSessions?.allowed === true));
  const inNamespace = NAMESPACE_VIEWS.filter(isOffered);
  const ofServer = SERVER_VIEWS.filter(isOffered);
  const user = session?.user?.name ?? permissions?.principal ?? undefined;

  useEffect(() => {
    if (params.namespace !== undefined) lastNamespaceStore.set(params.namespace);
  }, [params.namespace]);

  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), PALETTE_LOADED_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);

  const close = useCallback((): void => {
    takeKeys();
    setOpen(undefined);
  }, []);
  const openPalette = (): void => {
    keepKeys(close);
    setOpen("palette");
  };

  useShortcuts("Everywhere", [
    { keys: "mod+k", label: "Find anything", run: openPalette },
    { keys: "?", label: "Show these keys", run: () => setOpen("sheet") },
    ...(user === undefined
      ? []
      : [{ keys: "g u", label: `${user}: roles, sign out`, run: () => setOpen("user") }]),
    { keys: "g t", label: "Switch between light and dark", run: () => toggleTheme(theme) },
    ...inNamespace.map((view) => ({
      keys: view.keys,
      label: view.label,
      run: () => void navigate({ to: view.to, params: { namespace } }),
    })),
    ...ofServer.map((view) => ({
      keys: view.keys,
      label: view.label,
      run: () => void navigate({ to: view.to }),
    })),
  ]);

  return (
    <div className="layout" data-density={density}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <nav className="sidebar" aria-label="Views">
        <Link to="/" className="brand">
          <Wave />
          <span>Longtide</span>
        </Link>
        <NamespaceSwitcher namespace={namespace} />
        <ul className="nav-list">
          {inNamespace.map((view) => (
            <li key={view.to}>
              <Link
                to={view.to}
                params={{ namespace }}
                className="nav-link"
                activeOptions={{ includeSearch: false }}
              >
                <Icon name={view.icon} /> <span>{view.label}</span>
              </Link>
            </li>
          ))}
        </ul>
        <ul className="nav-list nav-server">
          {ofServer.map((view) => (
            <li key={view.to}>
              <Link
                to={view.to}
                className="nav-link"
                activeOptions={{ exact: true, includeSearch: false }}
              >
                <Icon name={view.icon} /> <span>{view.label}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className="sidebar-foot">
          {user !== undefined && (
            <button
              type="button"
              className="nav-link user-button"
              aria-haspopup="dialog"
              aria-label={user}
              onClick={() => setOpen("user")}
            >
              <Icon name="user" /> <span>{user}</span>
            </button>
          )}
          <button
            type="button"
            className="nav-link"
            onClick={openPalette}
            aria-keyshortcuts="Control+K"
          >
            <Icon name="search" /> <span>Find</span> <kbd>Ctrl K</kbd>
          </button>
          <button type="button" className="nav-link" onClick={() => setOpen("sheet")}>
            <Icon name="help" /> <span>Keys</span> <kbd>?</kbd>
          </button>
          <p className="version" title="Version of the server">
            {system.data?.serverVersion !== undefined && `server ${system.data.serverVersion}`}
            {system.error !== null && "server not reached"}
          </p>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <SessionNotice />
        <ErrorBoundary resetKey={location.pathname}>
          <Gate />
        </ErrorBoundary>
      </main>
      <Toasts />
      {open === "palette" && (
        <Suspense fallback={<EarlyPalette />}>
          <CommandPalette namespace={namespace} onClose={close} />
        </Suspense>
      )}
      <Suspense>
        {open === "user" && <UserDialog onClose={() => setOpen(undefined)} />}
        {open === "sheet" && <ShortcutSheet onClose={() => setOpen(undefined)} />}
      </Suspense>
    </div>
  );
}
