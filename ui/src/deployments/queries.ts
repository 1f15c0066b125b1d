import { within } from "../api/http";
import { watched } from "../api/watch";

export interface Version {
  deploymentName?: string;
  buildId?: string;
}

export interface RoutingConfig {
  currentDeploymentVersion?: Version;
  rampingDeploymentVersion?: Version;
  rampingVersionPercentage?: number;
  currentVersionChangedTime?: string;
  rampingVersionChangedTime?: string;
}

export interface DeploymentSummary {
  name?: string;
  createTime?: string;
  routingConfig?: RoutingConfig;
}

export interface VersionSummary {
  deploymentVersion?: Version;
  status?: string;
  drainageStatus?: string;
  drainageInfo?: { status?: string };
  createTime?: string;
  currentSinceTime?: string;
  rampingSinceTime?: string;
}

export interface DeploymentDetail {
  conflictToken?: string;
  workerDeploymentInfo?: {
    name?: string;
    createTime?: string;
    routingConfig?: RoutingConfig;
    versionSummaries?: VersionSummary[];
    lastModifierIdentity?: string;
    managerIdentity?: string;
  };
}

const REFRESH_MS = 10_000;

export const deploymentsQuery = (namespace: string) =>
  watched<{ workerDeployments?: DeploymentSummary[] }>({
    queryKey: ["deployments", namespace],
    path: within(namespace, "worker-deployments"),
    query: { pageSize: 100 },
    refresh: REFRESH_MS,
  });

export const deploymentQuery = (namespace: string, name: string) =>
  watched<DeploymentDetail>({
    queryKey: ["deployment", namespace, name],
    path: within(namespace, "worker-deployments", name),
    refresh: REFRESH_MS,
  });
