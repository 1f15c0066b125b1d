import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { readAuditSearch } from "./audit/search";
import { ErrorState } from "./kit/states";
import { forgetAsked, goToProvider, onlyProvider } from "./session/actions";
import { safeReturn } from "./session/addresses";
import { isSignInNeeded, knownSession } from "./session/session";
import { lastNamespaceStore } from "./settings/store";
import { NotFound } from "./shell/NotFound";
import { Root } from "./shell/Root";

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== ""
    ? value
    : typeof value === "number"
      ? `${value}`
      : undefined;
const number = (value: unknown): number | undefined => {
  const read = Number(value);
  return value !== undefined && Number.isFinite(read) ? read : undefined;
};
const oneOf =
  <T extends string>(...names: T[]) =>
  (value: unknown): T | undefined =>
    names.find((name) => name === value);

/** A list with a filter. */
export interface QuerySearch {
  query?: string | undefined;
}
const querySearch = (search: Record<string, unknown>): QuerySearch => ({
  query: text(search.query),
});

/** The run that a new one is to be like. */
export interface StartSearch {
  like?: string | undefined;
  run?: string | undefined;
}

/** Pages that are for everybody, and without the shell. */
const SIGN_IN_PATHS = ["/sign-in", "/signed-in"];

const root = createRootRoute({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => (
    <div className="page">
      <ErrorState error={error} retry={reset} />
    </div>
  ),
  // Who has to sign in does it first, and comes back to where the way led.
  beforeLoad: async ({ location, preload }) => {
    const state = await knownSession();
    if (state.session?.user !== undefined) forgetAsked();
    if (!isSignInNeeded(state) || preload || SIGN_IN_PATHS.includes(location.pathname)) return;
    // What is on a page whose session has ended is not taken away.
    const shown = router.state.resolvedLocation?.pathname;
    if (state.ended && shown === location.pathname) return;
    const provider = state.session ? onlyProvider(state.session) : undefined;
    if (provider !== undefined) {
      if (goToProvider(provider, safeReturn(location.publicHref))) await new Promise(() => {});
      throw redirect({
        to: "/sign-in",
        search: { returnUrl: location.publicHref, error: "cookie" },
        replace: true,
      });
    }
    throw redirect({
      to: "/sign-in",
      search: { returnUrl: location.publicHref },
      replace: true,
    });
  },
});

export const signInRoute = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (
    search: Record<string, unknown>,
  ): {
    returnUrl?: string | undefined;
    /** Why the last attempt did not work. */
    error?: string | undefined;
    signedOut?: boolean | undefined;
  } => ({
    returnUrl: text(search.returnUrl),
    error: text(search.error),
    signedOut: search.signedOut === true ? true : undefined,
  }),
  component: lazyRouteComponent(() => import("./session/SignInPage"), "SignInPage"),
});

const signedInRoute = createRoute({
  getParentRoute: () => root,
  path: "/signed-in",
  component: lazyRouteComponent(() => import("./session/SignedInPage"), "SignedInPage"),
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async () => {
    const { session } = await knownSession();
    // Those who have signed in may not see the namespace that others see first.
    if (session?.enabled) return;
    throw redirect({
      to: "/namespaces/$namespace/workflows",
      params: { namespace: lastNamespaceStore.get() ?? "default" },
      replace: true,
    });
  },
  component: lazyRouteComponent(() => import("./shell/HomePage"), "HomePage"),
});

export const namespaceRoute = createRoute({
  getParentRoute: () => root,
  path: "/namespaces/$namespace",
});

const namespaceHome = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./namespaces/NamespacePage"), "NamespacePage"),
});

export interface WorkflowListSearch {
  query?: string | undefined;
  /** Show the query as text and not as conditions. */
  raw?: boolean | undefined;
  /** The token of the page. */
  after?: string | undefined;
  page?: number | undefined;
}

export const workflowsRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/workflows",
  validateSearch: (search: Record<string, unknown>): WorkflowListSearch => ({
    query: text(search.query),
    raw: search.raw === true ? true : undefined,
    after: text(search.after),
    page: number(search.page),
  }),
  staticData: { needs: "ListWorkflowExecutions" },
  component: lazyRouteComponent(
    () => import("./workflows/list/WorkflowListPage"),
    "WorkflowListPage",
  ),
});

export const startWorkflowRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/start-workflow",
  validateSearch: (search: Record<string, unknown>): StartSearch => ({
    like: text(search.like),
    run: text(search.run),
  }),
  staticData: { needs: "StartWorkflowExecution" },
  component: lazyRouteComponent(() => import("./workflows/actions/StartPage"), "StartPage"),
});

export type WorkflowTab =
  | "timeline"
  | "history"
  | "pending"
  | "stack"
  | "queries"
  | "updates"
  | "relationships"
  | "workers"
  | "metadata";

export interface WorkflowSearch {
  tab?: WorkflowTab | undefined;
  /** How the history is shown. */
  view?: "compact" | "all" | "json" | undefined;
  /** The event whose details are open. */
  event?: number | undefined;
  /** Words that events or groups must have. */
  find?: string | undefined;
}

const workflowSearch = (search: Record<string, unknown>): WorkflowSearch => ({
  tab: oneOf<WorkflowTab>(
    "timeline",
    "history",
    "pending",
    "stack",
    "queries",
    "updates",
    "relationships",
    "workers",
    "metadata",
  )(search.tab),
  view: oneOf("compact", "all", "json")(search.view),
  event: number(search.event),
  find: text(search.find),
});

export const latestRunRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/workflows/$workflowId",
  staticData: { needs: "DescribeWorkflowExecution" },
  component: lazyRouteComponent(() => import("./workflows/page/LatestRun"), "LatestRun"),
});

export const workflowRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/workflows/$workflowId/$runId",
  validateSearch: workflowSearch,
  staticData: { needs: "DescribeWorkflowExecution" },
  component: lazyRouteComponent(() => import("./workflows/page/WorkflowPage"), "WorkflowPage"),
});

export const importRoute = createRoute({
  getParentRoute: () => root,
  path: "/open-history",
  validateSearch: workflowSearch,
  component: lazyRouteComponent(() => import("./archive/OpenHistoryPage"), "OpenHistoryPage"),
});

export const schedulesRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/schedules",
  validateSearch: querySearch,
  staticData: { needs: "ListSchedules" },
  component: lazyRouteComponent(() => import("./schedules/ScheduleListPage"), "ScheduleListPage"),
});

export const newScheduleRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/new-schedule",
  staticData: { needs: "CreateSchedule" },
  component: lazyRouteComponent(() => import("./schedules/ScheduleFormPage"), "NewSchedulePage"),
});

export const scheduleRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/schedules/$scheduleId",
  staticData: { needs: "DescribeSchedule" },
  component: lazyRouteComponent(() => import("./schedules/SchedulePage"), "SchedulePage"),
});

export const editScheduleRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/schedules/$scheduleId/edit",
  staticData: { needs: "UpdateSchedule" },
  component: lazyRouteComponent(() => import("./schedules/ScheduleFormPage"), "EditSchedulePage"),
});

export const batchOperationsRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/batch-operations",
  staticData: { needs: "ListBatchOperations" },
  component: lazyRouteComponent(
    () => import("./batch-operations/BatchOperationListPage"),
    "BatchOperationListPage",
  ),
});

export const batchOperationRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/batch-operations/$jobId",
  staticData: { needs: "DescribeBatchOperation" },
  component: lazyRouteComponent(
    () => import("./batch-operations/BatchOperationPage"),
    "BatchOperationPage",
  ),
});

export const workersRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/workers",
  validateSearch: querySearch,
  staticData: { needs: "ListWorkers" },
  component: lazyRouteComponent(() => import("./workers/WorkerListPage"), "WorkerListPage"),
});

export const taskQueueRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/task-queues/$taskQueue",
  staticData: { needs: "DescribeTaskQueue" },
  component: lazyRouteComponent(() => import("./task-queues/TaskQueuePage"), "TaskQueuePage"),
});

export const deploymentsRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/deployments",
  staticData: { needs: "ListWorkerDeployments" },
  component: lazyRouteComponent(
    () => import("./deployments/DeploymentListPage"),
    "DeploymentListPage",
  ),
});

export const deploymentRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/deployments/$deploymentName",
  staticData: { needs: "DescribeWorkerDeployment" },
  component: lazyRouteComponent(() => import("./deployments/DeploymentPage"), "DeploymentPage"),
});

export const activitiesRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/activities",
  validateSearch: querySearch,
  staticData: { needs: "ListActivityExecutions" },
  component: lazyRouteComponent(() => import("./activities/ActivityListPage"), "ActivityListPage"),
});

export const activityRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/activities/$activityId/$runId",
  staticData: { needs: "DescribeActivityExecution" },
  component: lazyRouteComponent(() => import("./activities/ActivityPage"), "ActivityPage"),
});

export const startActivityRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/start-activity",
  staticData: { needs: "StartActivityExecution" },
  component: lazyRouteComponent(
    () => import("./activities/StartActivityPage"),
    "StartActivityPage",
  ),
});

export const nexusOperationsRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/nexus-operations",
  validateSearch: querySearch,
  staticData: { needs: "ListNexusOperationExecutions" },
  component: lazyRouteComponent(
    () => import("./nexus-operations/NexusOperationListPage"),
    "NexusOperationListPage",
  ),
});

export const nexusOperationRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/nexus-operations/$operationId/$runId",
  staticData: { needs: "DescribeNexusOperationExecution" },
  component: lazyRouteComponent(
    () => import("./nexus-operations/NexusOperationPage"),
    "NexusOperationPage",
  ),
});

export const startNexusOperationRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/start-nexus-operation",
  staticData: { needs: "StartNexusOperationExecution" },
  component: lazyRouteComponent(
    () => import("./nexus-operations/StartNexusOperationPage"),
    "StartNexusOperationPage",
  ),
});

export interface AccessSearch {
  /** Words that a method must have. */
  find?: string | undefined;
  show?: "allowed" | "refused" | undefined;
}

export const accessRoute = createRoute({
  getParentRoute: () => namespaceRoute,
  path: "/access",
  staticData: { always: true },
  validateSearch: (search: Record<string, unknown>): AccessSearch => ({
    find: text(search.find),
    show: oneOf("allowed", "refused")(search.show),
  }),
  component: lazyRouteComponent(() => import("./access/AccessPage"), "AccessPage"),
});

export const auditRoute = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import("./audit/AuditPage"), "AuditPage"),
});

export const sessionsRoute = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  component: lazyRouteComponent(() => import("./session/SessionListPage"), "SessionListPage"),
});

export const namespacesRoute = createRoute({
  getParentRoute: () => root,
  path: "/namespaces",
  component: lazyRouteComponent(
    () => import("./namespaces/NamespaceListPage"),
    "NamespaceListPage",
  ),
});

export const nexusRoute = createRoute({
  getParentRoute: () => root,
  path: "/nexus",
  component: lazyRouteComponent(() => import("./nexus/EndpointListPage"), "EndpointListPage"),
});

export const settingsRoute = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
});

const tree = root.addChildren([
  home,
  signInRoute,
  signedInRoute,
  auditRoute,
  sessionsRoute,
  namespacesRoute,
  nexusRoute,
  settingsRoute,
  importRoute,
  namespaceRoute.addChildren([
    namespaceHome,
    workflowsRoute,
    startWorkflowRoute,
    latestRunRoute,
    workflowRoute,
    schedulesRoute,
    newScheduleRoute,
    scheduleRoute,
    editScheduleRoute,
    batchOperationsRoute,
    batchOperationRoute,
    workersRoute,
    taskQueueRoute,
    deploymentsRoute,
    deploymentRoute,
    activitiesRoute,
    activityRoute,
    startActivityRoute,
    nexusOperationsRoute,
    nexusOperationRoute,
    startNexusOperationRoute,
    accessRoute,
  ]),
]);

/** The path below which the server gives the pages. */
const basepath = new URL(document.baseURI).pathname.replace(/\/$/, "");

export const router = createRouter({
  routeTree: tree,
  basepath: basepath === "" ? "/" : basepath,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
