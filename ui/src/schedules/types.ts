import type { Payload, Payloads, RetryPolicy, UserMetadata } from "../api/types";

export interface Range {
  start?: number;
  end?: number;
  step?: number;
}

export interface CalendarSpec {
  second?: Range[];
  minute?: Range[];
  hour?: Range[];
  dayOfMonth?: Range[];
  month?: Range[];
  year?: Range[];
  dayOfWeek?: Range[];
  comment?: string;
}

export interface ScheduleSpec {
  structuredCalendar?: CalendarSpec[];
  cronString?: string[];
  interval?: { interval?: string; phase?: string }[];
  excludeStructuredCalendar?: CalendarSpec[];
  startTime?: string;
  endTime?: string;
  jitter?: string;
  timezoneName?: string;
}

export interface StartWorkflowAction {
  workflowId?: string;
  workflowType?: { name?: string };
  taskQueue?: { name?: string };
  input?: Payloads;
  workflowExecutionTimeout?: string;
  workflowRunTimeout?: string;
  workflowTaskTimeout?: string;
  retryPolicy?: RetryPolicy;
  memo?: { fields?: Record<string, Payload> };
  searchAttributes?: { indexedFields?: Record<string, Payload> };
  userMetadata?: UserMetadata;
}

export interface Schedule {
  spec?: ScheduleSpec;
  action?: { startWorkflow?: StartWorkflowAction };
  policies?: {
    overlapPolicy?: string;
    catchupWindow?: string;
    pauseOnFailure?: boolean;
    keepOriginalWorkflowId?: boolean;
  };
  state?: {
    notes?: string;
    paused?: boolean;
    limitedActions?: boolean;
    remainingActions?: string;
  };
}

export interface RecentAction {
  scheduleTime?: string;
  actualTime?: string;
  startWorkflowResult?: { workflowId?: string; runId?: string };
  startWorkflowStatus?: string;
}

export interface ScheduleListEntry {
  scheduleId: string;
  info?: {
    spec?: ScheduleSpec;
    workflowType?: { name?: string };
    notes?: string;
    paused?: boolean;
    recentActions?: RecentAction[];
    futureActionTimes?: string[];
  };
}

export interface DescribeSchedule {
  schedule?: Schedule;
  info?: {
    actionCount?: string;
    missedCatchupWindow?: string;
    overlapSkipped?: string;
    bufferDropped?: string;
    bufferSize?: string;
    runningWorkflows?: { workflowId: string; runId?: string }[];
    recentActions?: RecentAction[];
    futureActionTimes?: string[];
    createTime?: string;
    updateTime?: string;
    invalidScheduleError?: string;
  };
  conflictToken?: string;
}
