import { queryOptions } from "@tanstack/react-query";
import { get, within } from "../api/http";

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
  queryOptions({
    queryKey: ["deployments", namespace],
    queryFn: ({ signal }) =>
      get<{ workerDeployments?: DeploymentSummary[] }>(within(namespace, "worker-deployments"), {
        query: { pageSize: 100 },
        signal,
      }),
    refetchInterval: REFRESH_MS,
  });

export const deploymentQuery = (namespace: string, name: string) =>
  queryOptions({
    queryKey: ["deployment", namespace, name],
    queryFn: ({ signal }) =>
      get<DeploymentDetail>(within(namespace, "worker-deployments", name), { signal }),
    refetchInterval: REFRESH_MS,
  });
