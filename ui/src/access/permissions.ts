/** What the caller may do, and why. */

import { queryOptions } from "@tanstack/react-query";
import { getOwn } from "../api/http";

export interface Decision {
  allowed: boolean;
  /** The role or the rule that decided; none: no rule allows it. */
  rule?: string | null;
  /** The least right that a role must have. */
  needs: "nothing" | "read" | "worker" | "write" | "admin";
  on: "namespace" | "cluster";
  about: string;
}

export interface Permissions {
  namespace: string;
  /** False: pages in front of a server that does not tell. It decides when it is asked. */
  known?: boolean;
  principal?: string | null;
  /** How the caller proved who it is. */
  kind?: string | null;
  roles?: string[];
  methods?: Record<string, boolean>;
  decisions?: Record<string, Decision>;
  /** The server keeps an audit log that can be looked into. */
  auditLog?: boolean;
  /** Somebody outside is asked about each call, too. */
  consulted?: boolean;
}

const RARELY_MS = 60_000;

/** Empty for the whole server. Null where the server does not tell: then it decides when it is asked. */
export const permissionsQuery = (namespace: string) =>
  queryOptions({
    queryKey: ["permissions", namespace],
    staleTime: RARELY_MS,
    retry: false,
    queryFn: ({ signal }) =>
      getOwn<Permissions>("ui-api/permissions", {
        query: { namespace: namespace || undefined },
        signal,
      }),
  });

/** Where a right is held, in words. */
const place = (decision: Decision, namespace: string): string =>
  decision.on === "cluster" ? "temporal-system" : namespace || "temporal-system";

/** Why a call is decided as it is. */
export function because(decision: Decision, namespace: string): string {
  const { allowed, rule, needs } = decision;
  if (allowed) return rule ?? "it is allowed";
  if (rule) return `the policy ${rule} forbids it`;
  return `it needs ${place(decision, namespace)}:${needs}, which you do not have`;
}

/** Why the caller may not call a method; undefined when it may, or when only the server knows. */
export function refusal(
  method: string,
  namespace: string,
  permissions: Permissions | null | undefined,
): string | undefined {
  const decision = permissions?.decisions?.[method];
  if (decision) {
    return decision.allowed ? undefined : `You may not: ${because(decision, namespace)}.`;
  }
  return permissions?.methods?.[method] === false ? "Your roles do not allow this." : undefined;
}

/** False when a namespace is closed to the caller: nothing that needs a right there is allowed. */
export function isOpen(permissions: Permissions): boolean {
  const { decisions } = permissions;
  if (!decisions) return true;
  return Object.values(decisions).some(
    ({ on, needs, allowed }) => on === "namespace" && needs !== "nothing" && allowed,
  );
}

type Row = [method: string, decision: Decision];

/** By what the methods work on, in the order of the names. */
export function grouped(
  decisions: Record<string, Decision>,
  { find = "", show }: { find?: string | undefined; show?: "allowed" | "refused" | undefined },
): [string, Row[]][] {
  const words = find.toLowerCase().split(/\s+/);
  const groups = new Map<string, Row[]>();
  for (const [method, decision] of Object.entries(decisions)) {
    if (show !== undefined && decision.allowed !== (show === "allowed")) continue;
    const text =
      `${method} ${decision.about} ${decision.needs} ${decision.rule ?? ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const rows = groups.get(decision.about);
    if (rows) rows.push([method, decision]);
    else groups.set(decision.about, [[method, decision]]);
  }
  const sorted = [...groups].sort(([a], [b]) => a.localeCompare(b));
  for (const [, rows] of sorted) rows.sort(([a], [b]) => a.localeCompare(b));
  return sorted;
}
