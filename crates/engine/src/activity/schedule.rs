//! The command that schedules an activity.

use api::{
    command::v1::ScheduleActivityTaskCommandAttributes,
    common::v1::Priority,
    enums::v1::{TaskQueueKind, WorkflowTaskFailedCause},
    history::v1::{ActivityTaskScheduledEventAttributes, history_event::Attributes},
};
use model::Span;
use prost::Message as _;

use crate::{
    Dispatch,
    commands::{CommandError, CommandScope},
    draft::Draft,
    input::StartActivity,
    normalize_retry_policy, validate_retry_policy,
};

const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadScheduleActivityAttributes;

/// Schedules an activity, and starts it at the answering worker when that asks for it.
pub(crate) fn schedule(
    draft: &mut Draft<'_>,
    scope: &mut CommandScope,
    command: ScheduleActivityTaskCommandAttributes,
) -> Result<(), CommandError> {
    // A run on its way to another version has no worker that could take it; a paused one none
    // that may.
    let eager = command.request_eager_execution
        && !draft.state().is_in_version_transition()
        && !draft.state().is_paused();
    let attributes = validated(draft, scope, command)?;
    if draft.state().activity_by_id(&attributes.activity_id).is_some() {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::ScheduleActivityDuplicateId,
            format!(
                "invalid history builder state for action: add-activitytask-scheduled-event, \
                 ActivityID: {}",
                attributes.activity_id
            ),
        ));
    }
    let pending_max = draft.context().limits.pending_max;
    if draft.state().activities.len() >= pending_max {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::PendingActivitiesLimitExceeded,
            format!(
                "the number of pending activities, {pending_max}, has reached the \
                 per-workflow limit of {pending_max}"
            ),
        ));
    }
    let scheduled_event_id = draft
        .event_with(Attributes::ActivityTaskScheduledEventAttributes(attributes), scope.extras());
    super::emit_tasks(draft, scheduled_event_id);
    if eager {
        let start = StartActivity {
            scheduled_event_id,
            stamp: 1,
            request_id: scope.request_id.clone(),
            identity: scope.identity.clone(),
            worker_control_task_queue: scope.worker_control_task_queue.clone(),
            dispatch: Dispatch::default(),
        };
        scope.eager_activities.extend(super::start::start_pending(draft, &start));
    }
    Ok(())
}

fn validated(
    draft: &Draft<'_>,
    scope: &CommandScope,
    command: ScheduleActivityTaskCommandAttributes,
) -> Result<ActivityTaskScheduledEventAttributes, CommandError> {
    let ScheduleActivityTaskCommandAttributes {
        activity_id,
        activity_type,
        task_queue,
        header,
        input,
        schedule_to_close_timeout,
        schedule_to_start_timeout,
        start_to_close_timeout,
        heartbeat_timeout,
        retry_policy,
        request_eager_execution: _,
        use_workflow_build_id,
        priority,
    } = command;
    check_name(draft, "activityId", &activity_id)?;
    let type_name = activity_type.as_ref().map_or("", |activity_type| &activity_type.name);
    check_name(draft, "activityType", type_name)?;
    let queue_name = task_queue.as_ref().map_or("", |task_queue| &task_queue.name);
    if let Some(text) = queue_refusal(draft, queue_name) {
        return Err(CommandError::new(BAD, text));
    }
    if let Some(text) = priority.as_ref().and_then(priority_refusal) {
        return Err(CommandError::new(BAD, format!("invalid priorities: {text}")));
    }
    let bytes = input.as_ref().map_or(0, |input| input.encoded_len());
    scope.check_blob(BAD, "ScheduleActivityTaskCommandAttributes.Input", bytes)?;
    let timeouts = Timeouts {
        schedule_to_close: timeout("ScheduleToCloseTimeout", schedule_to_close_timeout)?,
        schedule_to_start: timeout("ScheduleToStartTimeout", schedule_to_start_timeout)?,
        start_to_close: timeout("StartToCloseTimeout", start_to_close_timeout)?,
        heartbeat: timeout("HeartbeatTimeout", heartbeat_timeout)?,
    }
    .normalized(run_timeout(draft), &activity_id, type_name)
    .map_err(|text| CommandError::new(BAD, text))?;
    let mut retry_policy = retry_policy.unwrap_or_default();
    normalize_retry_policy(&mut retry_policy);
    validate_retry_policy(&retry_policy).map_err(|text| CommandError::new(BAD, text))?;
    let mut task_queue = task_queue.unwrap_or_default();
    task_queue.kind = TaskQueueKind::Normal as i32;
    Ok(ActivityTaskScheduledEventAttributes {
        activity_id,
        activity_type,
        task_queue: Some(task_queue),
        header,
        input,
        schedule_to_close_timeout: Some(timeouts.schedule_to_close.to_proto()),
        schedule_to_start_timeout: Some(timeouts.schedule_to_start.to_proto()),
        start_to_close_timeout: Some(timeouts.start_to_close.to_proto()),
        heartbeat_timeout: Some(timeouts.heartbeat.to_proto()),
        workflow_task_completed_event_id: scope.completed_event_id,
        retry_policy: Some(retry_policy),
        use_workflow_build_id,
        priority,
    })
}

fn check_name(draft: &Draft<'_>, field: &str, name: &str) -> Result<(), CommandError> {
    let most = draft.context().limits.id_length_max;
    if name.is_empty() {
        return Err(CommandError::new(BAD, format!("{field} is not set")));
    }
    if name.len() > most {
        let length = name.len();
        let text = format!("{field} exceeds length limit. Length={length} Limit={most}");
        return Err(CommandError::new(BAD, text));
    }
    Ok(())
}

fn queue_refusal(draft: &Draft<'_>, name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("missing task queue name")
    } else if name.len() > draft.context().limits.id_length_max {
        Some("taskQueue length exceeds limit")
    } else if name.starts_with("/_sys/") {
        Some("task queue name cannot start with reserved prefix /_sys/")
    } else {
        None
    }
}

fn priority_refusal(priority: &Priority) -> Option<&'static str> {
    if priority.priority_key < 0 {
        Some("priority key can't be negative")
    } else if priority.fairness_key.len() > FAIRNESS_KEY_BYTES_MAX {
        Some("fairness key length exceeds limit")
    } else {
        None
    }
}

/// Longest fairness key in bytes (fact sheet section 9).
const FAIRNESS_KEY_BYTES_MAX: usize = 64;

fn timeout(field: &str, duration: Option<prost_types::Duration>) -> Result<Span, CommandError> {
    let negative =
        duration.as_ref().is_some_and(|duration| duration.seconds < 0 || duration.nanos < 0);
    if negative {
        let text = format!("invalid {field}: negative duration");
        return Err(CommandError::new(BAD, text));
    }
    Ok(Span::from_proto(duration.as_ref()))
}

/// The time that the run has; zero for no limit.
pub(super) fn run_timeout(draft: &Draft<'_>) -> Span {
    draft
        .state()
        .started
        .as_ref()
        .map_or(Span::ZERO, |started| Span::from_proto(started.workflow_run_timeout.as_ref()))
}

/// Fills each missing time-out of an activity from the others and caps all by the run's; zero for
/// no limit.
///
/// # Errors
/// The reference's text for time-outs that limit nothing.
pub fn normalize_activity_timeouts(
    scheduled: &mut ActivityTaskScheduledEventAttributes,
    run_timeout: Span,
) -> Result<(), String> {
    let span = |duration: &Option<prost_types::Duration>| Span::from_proto(duration.as_ref());
    let timeouts = Timeouts {
        schedule_to_close: span(&scheduled.schedule_to_close_timeout),
        schedule_to_start: span(&scheduled.schedule_to_start_timeout),
        start_to_close: span(&scheduled.start_to_close_timeout),
        heartbeat: span(&scheduled.heartbeat_timeout),
    };
    let type_name = scheduled.activity_type.as_ref().map_or("", |kind| kind.name.as_str());
    let timeouts = timeouts.normalized(run_timeout, &scheduled.activity_id, type_name)?;
    scheduled.schedule_to_close_timeout = Some(timeouts.schedule_to_close.to_proto());
    scheduled.schedule_to_start_timeout = Some(timeouts.schedule_to_start.to_proto());
    scheduled.start_to_close_timeout = Some(timeouts.start_to_close.to_proto());
    scheduled.heartbeat_timeout = Some(timeouts.heartbeat.to_proto());
    Ok(())
}

#[derive(Debug)]
pub(super) struct Timeouts {
    pub(super) schedule_to_close: Span,
    pub(super) schedule_to_start: Span,
    pub(super) start_to_close: Span,
    pub(super) heartbeat: Span,
}

impl Timeouts {
    /// Fills each missing time-out from the others and caps all by the run's (fact sheet
    /// section 9).
    pub(super) fn normalized(
        self,
        run_timeout: Span,
        activity_id: &str,
        type_name: &str,
    ) -> Result<Self, String> {
        let Self { schedule_to_close, schedule_to_start, start_to_close, heartbeat } = self;
        let (schedule_to_close, schedule_to_start, start_to_close) = if !schedule_to_close.is_zero()
        {
            let limit = schedule_to_close.capped_by(run_timeout);
            (limit, schedule_to_start.capped_by(limit), start_to_close.capped_by(limit))
        } else if !start_to_close.is_zero() {
            (
                run_timeout,
                schedule_to_start.capped_by(run_timeout),
                start_to_close.capped_by(run_timeout),
            )
        } else {
            return Err(format!(
                "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the \
                 activity. ActivityId={activity_id} ActivityType={type_name}"
            ));
        };
        let heartbeat =
            if heartbeat.is_zero() { heartbeat } else { heartbeat.capped_by(start_to_close) };
        Ok(Self { schedule_to_close, schedule_to_start, start_to_close, heartbeat })
    }
}
