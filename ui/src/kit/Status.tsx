import { Icon, type IconName } from "./icons";

export interface StatusLook {
  label: string;
  tone: "running" | "good" | "bad" | "warn" | "calm";
  icon: IconName;
}

/** The states of workflows and of what is like them. Colour never says it alone. */
const LOOKS: Record<string, StatusLook> = {
  Running: { label: "Running", tone: "running", icon: "play" },
  Completed: { label: "Completed", tone: "good", icon: "check" },
  Failed: { label: "Failed", tone: "bad", icon: "cross" },
  Canceled: { label: "Canceled", tone: "calm", icon: "slash" },
  Terminated: { label: "Terminated", tone: "warn", icon: "stop" },
  ContinuedAsNew: { label: "Continued as new", tone: "calm", icon: "loop" },
  TimedOut: { label: "Timed out", tone: "bad", icon: "clock" },
  Paused: { label: "Paused", tone: "warn", icon: "pause" },
};

export const WORKFLOW_STATUSES = Object.keys(LOOKS);

/** `WORKFLOW_EXECUTION_STATUS_TIMED_OUT` and `TimedOut` are one. */
export function statusName(status: string | undefined): string {
  if (!status) return "Unspecified";
  const bare = status.replace(/^[A-Z_]*?_?(EXECUTION_STATUS|OPERATION_STATE|STATUS|STATE)_/, "");
  if (!/^[A-Z_]+$/.test(bare)) return bare;
  return bare
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");
}

export function statusLook(status: string | undefined): StatusLook {
  const name = statusName(status);
  return (
    LOOKS[name] ?? {
      label: name.replace(/([a-z])([A-Z])/g, "$1 $2"),
      tone: "calm",
      icon: "dot",
    }
  );
}

export function Status({ status }: { status: string | undefined }) {
  const look = statusLook(status);
  return (
    <span className={`status ${look.tone}`} data-status={statusName(status)}>
      <Icon name={look.icon} size={11} />
      {look.label}
    </span>
  );
}
