import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { Icon, type IconName } from "../kit/icons";
import { useShortcuts } from "../kit/keys";
import { ErrorBoundary } from "../kit/states";
import { useStore } from "../kit/store";
import { Toasts } from "../kit/toasts";
import { systemInfoQuery } from "../namespaces/queries";
import { changeSettings, lastNamespaceStore, useSettings } from "../settings/store";
import { NamespaceSwitcher } from "./NamespaceSwitcher";

const loadPalette = () => import("./CommandPalette");
const CommandPalette = lazy(() =>
  loadPalette().then((module) => ({ default: module.CommandPalette })),
);
/** What is typed after Ctrl K must find the palette there. */
const PALETTE_LOADED_AFTER_MS = 1_500;
const ShortcutSheet = lazy(() =>
  import("./ShortcutSheet").then((module) => ({ default: module.ShortcutSheet })),
);

/** Views within a namespace, with the keys that lead there. */
export const NAMESPACE_VIEWS = [
  { to: "/namespaces/$namespace/workflows", label: "Workflows", icon: "workflow", keys: "g w" },
  { to: "/namespaces/$namespace/schedules", label: "Schedules", icon: "calendar", keys: "g s" },
  { to: "/namespaces/$namespace/activities", label: "Activities", icon: "bolt", keys: "g a" },
  {
    to: "/namespaces/$namespace/nexus-operations",
    label: "Nexus operations",
    icon: "nexus",
    keys: "g e",
  },
  {
    to: "/namespaces/$namespace/batch-operations",
    label: "Batch operations",
    icon: "stack",
    keys: "g b",
  },
  { to: "/namespaces/$namespace/workers", label: "Workers", icon: "worker", keys: "g k" },
  { to: "/namespaces/$namespace/deployments", label: "Deployments", icon: "ship", keys: "g d" },
] as const satisfies readonly { to: string; label: string; icon: IconName; keys: string }[];

/** Views of the whole server. */
export const SERVER_VIEWS = [
  { to: "/namespaces", label: "Namespaces", icon: "box", keys: "g n" },
  { to: "/nexus", label: "Nexus endpoints", icon: "nexus", keys: "g x" },
  { to: "/open-history", label: "Open a history", icon: "download", keys: "g o" },
  { to: "/settings", label: "Settings", icon: "gear", keys: "g ," },
] as const satisfies readonly { to: string; label: string; icon: IconName; keys: string }[];

/** The namespace that the page is about, or was about last. */
export function useNamespace(): string {
  const { namespace } = useParams({ strict: false });
  const last = useStore(lastNamespaceStore);
  return namespace ?? last ?? "default";
}

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
  const [open, setOpen] = useState<"palette" | "sheet" | undefined>();
  const system = useQuery(systemInfoQuery);

  useEffect(() => {
    if (params.namespace !== undefined) lastNamespaceStore.set(params.namespace);
  }, [params.namespace]);

  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), PALETTE_LOADED_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);

  useShortcuts("Everywhere", [
    { keys: "mod+k", label: "Find anything", run: () => setOpen("palette") },
    { keys: "?", label: "Show these keys", run: () => setOpen("sheet") },
    { keys: "g t", label: "Switch between light and dark", run: () => toggleTheme(theme) },
    ...NAMESPACE_VIEWS.map((view) => ({
      keys: view.keys,
      label: view.label,
      run: () => void navigate({ to: view.to, params: { namespace } }),
    })),
    ...SERVER_VIEWS.map((view) => ({
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
          {NAMESPACE_VIEWS.map((view) => (
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
          {SERVER_VIEWS.map((view) => (
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
          <button
            type="button"
            className="nav-link"
            onClick={() => setOpen("palette")}
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
        <ErrorBoundary resetKey={location.pathname}>
          <Outlet />
        </ErrorBoundary>
      </main>
      <Toasts />
      <Suspense>
        {open === "palette" && (
          <CommandPalette namespace={namespace} onClose={() => setOpen(undefined)} />
        )}
        {open === "sheet" && <ShortcutSheet onClose={() => setOpen(undefined)} />}
      </Suspense>
    </div>
  );
}

function Wave() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <rect className="brand-ground" width="32" height="32" rx="7" />
      <path
        d="M5 13c4-5 7-5 11 0s7 5 11 0M5 21c4-5 7-5 11 0s7 5 11 0"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
      />
    </svg>
  );
}
