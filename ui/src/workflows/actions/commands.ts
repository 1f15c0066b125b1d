import { address, path } from "../../api/http";

/** The same thing on a command line. */
export interface Commands {
  cli: string;
  curl: string;
}

/** A word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

export const cli = (...words: string[]): string => ["temporal", ...words.map(shellWord)].join(" ");

export function curl(method: string, target: string, body?: unknown): string {
  const words = ["curl"];
  if (method !== "GET") words.push("-X", method);
  words.push(target);
  if (body !== undefined) words.push("-d", JSON.stringify(body));
  return words.map(shellWord).join(" ");
}

export function listCommands(namespace: string, query: string): Commands {
  return {
    cli: cli("workflow", "list", "-n", namespace, ...(query === "" ? [] : ["-q", query])),
    curl: curl("GET", address(`api/v1/${path("namespaces", namespace, "workflows")}`, { query })),
  };
}

export function workflowCommands(namespace: string, workflowId: string, runId: string) {
  const target = ["-n", namespace, "-w", workflowId, "-r", runId];
  const base = `api/v1/${path("namespaces", namespace, "workflows", workflowId)}`;
  return {
    describe: {
      cli: cli("workflow", "describe", ...target),
      curl: curl("GET", address(base, { "execution.runId": runId })),
    },
    show: {
      cli: cli("workflow", "show", ...target),
      curl: curl("GET", address(`${base}/history`, { "execution.runId": runId })),
    },
    trace: { cli: cli("workflow", "trace", ...target) },
  };
}
