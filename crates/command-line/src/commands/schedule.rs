//! `schedule`: workflows at times.

use api::{
    common::v1::{Memo, Payload},
    enums::v1::ScheduleOverlapPolicy,
    schedule::v1::{
        BackfillRequest, CalendarSpec, IntervalSpec, Schedule, ScheduleAction, SchedulePatch,
        SchedulePolicies, ScheduleSpec, ScheduleState, TriggerImmediatelyRequest,
        schedule_action::Action,
    },
    workflow::v1::NewWorkflowExecutionInfo,
    workflowservice::v1::{
        CreateScheduleRequest, DeleteScheduleRequest, DescribeScheduleRequest,
        ListScheduleMatchingTimesRequest, ListSchedulesRequest, PatchScheduleRequest,
        UpdateScheduleRequest,
    },
};
use clap::{Args, Subcommand};
use prost_types::Timestamp;
use serde_json::Value;
use tonic::{Code, Status};

use super::{
    paging::{self, Shape},
    payload_input::{PayloadInput, some_header},
    start_options::{SharedStart, search_attributes, task_queue},
};
use crate::{
    columns::{Column, plain, time},
    context::Context,
    error::{Error, Result},
    proto_json,
    values::{self, Length},
};

values::enumeration!(overlap_policy, ScheduleOverlapPolicy, "SCHEDULE_OVERLAP_POLICY_");

/// Commands about schedules.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Make a schedule.
    Create(Box<Create>),
    /// Replace a schedule as a whole.
    Update(Box<Update>),
    /// Show a schedule.
    Describe(Reference),
    /// List schedules.
    List(List),
    /// Pause a schedule, or let it go on.
    Toggle(Toggle),
    /// Act at once.
    Trigger(Trigger),
    /// Act for times that are past.
    Backfill(Backfill),
    /// Show when a schedule would act.
    ListMatchingTimes(MatchingTimes),
    /// Remove a schedule.
    Delete(Reference),
}

impl ScheduleCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Update(command) => command.run(context).await,
            Self::Describe(command) => command.describe(context).await,
            Self::List(command) => command.run(context).await,
            Self::Toggle(command) => command.run(context).await,
            Self::Trigger(command) => command.run(context).await,
            Self::Backfill(command) => command.run(context).await,
            Self::ListMatchingTimes(command) => command.run(context).await,
            Self::Delete(command) => command.delete(context).await,
        }
    }
}

/// One schedule.
#[derive(Debug, Args)]
pub struct Reference {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
}

/// What happens to actions that overlap.
#[derive(Debug, Args)]
struct Overlap {
    /// What to do while an earlier workflow runs: Skip, BufferOne, BufferAll, CancelOther,
    /// TerminateOther or AllowAll.
    #[arg(
        long,
        value_name = "POLICY",
        value_parser = overlap_policy,
        default_value = "Skip",
    )]
    overlap_policy: i32,
}

/// When a schedule acts, and how.
#[derive(Debug, Args)]
struct Configuration {
    /// Times as a calendar, in JSON: {"dayOfWeek":"Fri","hour":"17"}. May be repeated.
    #[arg(long, value_name = "JSON")]
    calendar: Vec<String>,
    /// For how long actions are made up for after an outage.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    catchup_window: Option<Length>,
    /// Times as a cron string. May be repeated.
    #[arg(long, value_name = "TEXT")]
    cron: Vec<String>,
    /// No action after this time.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    end_time: Option<Timestamp>,
    /// Times as an interval, with an offset behind a slash: 60m/15m. May be repeated.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    interval: Vec<Interval>,
    /// By how much times are varied.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    jitter: Option<Length>,
    /// A note.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    notes: String,
    /// Do not act until told to.
    #[arg(long)]
    paused: bool,
    /// Pause after a workflow failed.
    #[arg(long)]
    pause_on_failure: bool,
    /// How many actions are left; without a number, any number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    remaining_actions: i64,
    /// No action before this time.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    start_time: Option<Timestamp>,
    /// Time zone of calendars and cron strings.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    time_zone: String,
    /// Search attribute of the schedule, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    schedule_search_attribute: Vec<(String, Payload)>,
    /// Entry of the schedule's memo, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    schedule_memo: Vec<(String, Payload)>,
}

/// An interval and its offset.
#[derive(Debug, Clone, Copy)]
struct Interval {
    every: Length,
    offset: Option<Length>,
}

fn interval(text: &str) -> std::result::Result<Interval, String> {
    Ok(match text.split_once('/') {
        None => Interval { every: values::length(text)?, offset: None },
        Some((every, offset)) => {
            Interval { every: values::length(every)?, offset: Some(values::length(offset)?) }
        }
    })
}

/// A calendar as a cron string with seconds and years.
fn cron(text: &str) -> Result<String> {
    let wrong = || Error::usage(format!("`{text}` is no calendar"));
    // A calendar of the API, whose numbers may be written without quotes.
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Error::usage(format!("`{text}` is no JSON: {error}")))?;
    let object = value.as_object().ok_or_else(wrong)?;
    let mut spec = CalendarSpec::default();
    for (key, value) in object {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(wrong()),
        };
        let field = match key.as_str() {
            "second" => &mut spec.second,
            "minute" => &mut spec.minute,
            "hour" => &mut spec.hour,
            "dayOfMonth" | "day_of_month" => &mut spec.day_of_month,
            "month" => &mut spec.month,
            "dayOfWeek" | "day_of_week" => &mut spec.day_of_week,
            "year" => &mut spec.year,
            "comment" => &mut spec.comment,
            other => return Err(Error::usage(format!("a calendar has no `{other}`"))),
        };
        *field = value;
    }
    let parts = [
        (&spec.second, "0"),
        (&spec.minute, "0"),
        (&spec.hour, "0"),
        (&spec.day_of_month, "*"),
        (&spec.month, "*"),
        (&spec.day_of_week, "*"),
        (&spec.year, "*"),
    ];
    let parts = parts.map(|(given, default)| if given.is_empty() { default } else { given });
    if parts.iter().any(|part| part.split_whitespace().count() != 1) {
        return Err(wrong());
    }
    let comment =
        if spec.comment.is_empty() { String::new() } else { format!(" # {}", spec.comment) };
    Ok(parts.join(" ") + &comment)
}

impl Configuration {
    fn spec(&self) -> Result<ScheduleSpec> {
        let mut cron_string = self.cron.clone();
        for calendar in &self.calendar {
            cron_string.push(cron(calendar)?);
        }
        let interval = self.interval.iter().map(|interval| IntervalSpec {
            interval: interval.every.proto(),
            phase: values::or_zero(interval.offset),
        });
        Ok(ScheduleSpec {
            cron_string,
            interval: interval.collect(),
            start_time: self.start_time,
            end_time: self.end_time,
            jitter: values::or_zero(self.jitter),
            timezone_name: self.time_zone.clone(),
            ..ScheduleSpec::default()
        })
    }
}

/// A schedule as a whole.
#[derive(Debug, Args)]
struct Whole {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
    #[command(flatten)]
    configuration: Configuration,
    #[command(flatten)]
    overlap: Overlap,
    #[command(flatten)]
    shared: SharedStart,
    #[command(flatten)]
    input: PayloadInput,
}

impl Whole {
    fn schedule(&self, context: &Context) -> Result<Schedule> {
        let shared = &self.shared;
        let action = NewWorkflowExecutionInfo {
            workflow_id: shared.workflow_id.clone().unwrap_or_else(|| context.id()),
            workflow_type: shared.workflow_type(),
            task_queue: Some(task_queue(&shared.task_queue)),
            input: self.input.some_payloads()?,
            workflow_execution_timeout: values::or_zero(shared.execution_timeout),
            workflow_run_timeout: values::or_zero(shared.run_timeout),
            workflow_task_timeout: shared.task_timeout.proto(),
            memo: shared.memo(),
            search_attributes: shared.search_attributes(),
            header: Some(some_header(&shared.headers)),
            user_metadata: shared.user_metadata(),
            priority: shared.priority(),
            ..NewWorkflowExecutionInfo::default()
        };
        let configuration = &self.configuration;
        Ok(Schedule {
            spec: Some(configuration.spec()?),
            action: Some(ScheduleAction { action: Some(Action::StartWorkflow(action)) }),
            policies: Some(SchedulePolicies {
                overlap_policy: self.overlap.overlap_policy,
                catchup_window: configuration.catchup_window.and_then(Length::proto),
                pause_on_failure: configuration.pause_on_failure,
                ..SchedulePolicies::default()
            }),
            state: Some(ScheduleState {
                notes: configuration.notes.clone(),
                paused: configuration.paused,
                limited_actions: configuration.remaining_actions > 0,
                remaining_actions: configuration.remaining_actions,
            }),
        })
    }

    fn memo(&self) -> Option<Memo> {
        let entries = &self.configuration.schedule_memo;
        (!entries.is_empty()).then(|| Memo { fields: entries.iter().cloned().collect() })
    }
}

/// See `schedule create`.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    whole: Whole,
}

impl Create {
    async fn run(self, context: &mut Context) -> Result {
        let request = CreateScheduleRequest {
            namespace: context.namespace(),
            schedule_id: self.whole.schedule_id.clone(),
            schedule: Some(self.whole.schedule(context)?),
            identity: context.identity(),
            request_id: context.id(),
            memo: self.whole.memo(),
            search_attributes: search_attributes(
                &self.whole.configuration.schedule_search_attribute,
            ),
            ..CreateScheduleRequest::default()
        };
        match context.try_call(request).await? {
            Ok(_) => Ok(()),
            Err(status) if status.code() == Code::AlreadyExists => {
                let text = "schedule with this ID is already registered";
                Err(context.refused("CreateSchedule", Status::already_exists(text)))
            }
            Err(status) => Err(context.refused("CreateSchedule", status)),
        }
    }
}

/// See `schedule update`.
#[derive(Debug, Args)]
pub struct Update {
    #[command(flatten)]
    whole: Whole,
}

impl Update {
    async fn run(self, context: &mut Context) -> Result {
        let namespace = context.namespace();
        let schedule_id = self.whole.schedule_id.clone();
        let request = DescribeScheduleRequest {
            namespace: namespace.clone(),
            schedule_id: schedule_id.clone(),
        };
        let known = context.call(request).await?;
        let request = UpdateScheduleRequest {
            namespace,
            schedule_id,
            schedule: Some(self.whole.schedule(context)?),
            conflict_token: known.conflict_token,
            identity: context.identity(),
            request_id: context.id(),
            memo: self.whole.memo(),
            search_attributes: search_attributes(
                &self.whole.configuration.schedule_search_attribute,
            ),
        };
        context.call(request).await?;
        Ok(())
    }
}

impl Reference {
    async fn describe(self, context: &mut Context) -> Result {
        let request = DescribeScheduleRequest {
            namespace: context.namespace(),
            schedule_id: self.schedule_id.clone(),
        };
        let answer = context.call(request).await?;
        if context.output.is_data() {
            // Never short, as in the reference.
            let value = proto_json::to_json(&answer, false)?;
            return context.output.data(&value);
        }
        let mut value = context.json(&answer)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("conflictToken");
            object.insert("scheduleId".to_owned(), self.schedule_id.into());
        }
        super::leaves::print(context, &value, "")
    }

    async fn delete(self, context: &mut Context) -> Result {
        let request = DeleteScheduleRequest {
            namespace: context.namespace(),
            schedule_id: self.schedule_id,
            identity: context.identity(),
        };
        context.call(request).await?;
        context.output.line("Schedule deleted")
    }
}

const SHORT: &[Column] = &[
    plain("ScheduleId", "/scheduleId"),
    plain("Workflow", "/info/workflowType/name"),
    plain("Paused", "/info/paused"),
    time("NextRunTime", "/info/futureActionTimes/0"),
    time("LastRunTime", "/info/recentActions/0/scheduleTime"),
];

const LONG: &[Column] = &[
    plain("ScheduleId", "/scheduleId"),
    plain("Workflow", "/info/workflowType/name"),
    plain("Calendars", "/info/spec/structuredCalendar"),
    plain("Intervals", "/info/spec/interval"),
    plain("Notes", "/info/notes"),
    plain("Paused", "/info/paused"),
    time("NextRunTime", "/info/futureActionTimes/0"),
    time("LastRunTime", "/info/recentActions/0/scheduleTime"),
];

/// See `schedule list`.
#[derive(Debug, Args)]
pub struct List {
    /// Show specifications and notes, too.
    #[arg(long, short = 'l')]
    long: bool,
    /// Show all there is.
    #[arg(long)]
    really_long: bool,
    /// List filter.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
}

impl List {
    async fn run(self, context: &mut Context) -> Result {
        let request = ListSchedulesRequest {
            namespace: context.namespace(),
            query: self.query,
            ..ListSchedulesRequest::default()
        };
        let columns = if self.long || self.really_long { LONG } else { SHORT };
        let shape = Shape { field: "schedules", columns, shorthand: false };
        paging::print(context, request, 0, shape).await?;
        Ok(())
    }
}

/// See `schedule toggle`.
#[derive(Debug, Args)]
pub struct Toggle {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
    /// Do not act any more.
    #[arg(long)]
    pause: bool,
    /// Act again.
    #[arg(long)]
    unpause: bool,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "(no reason provided)")]
    reason: String,
}

async fn patch(context: &mut Context, schedule_id: String, patch: SchedulePatch) -> Result {
    let request = PatchScheduleRequest {
        namespace: context.namespace(),
        schedule_id,
        patch: Some(patch),
        identity: context.identity(),
        request_id: context.id(),
    };
    context.call(request).await?;
    Ok(())
}

impl Toggle {
    async fn run(self, context: &mut Context) -> Result {
        let change = match (self.pause, self.unpause) {
            (true, false) => SchedulePatch { pause: self.reason, ..SchedulePatch::default() },
            (false, true) => SchedulePatch { unpause: self.reason, ..SchedulePatch::default() },
            _ => return Err(Error::usage("exactly one of --pause or --unpause is required")),
        };
        patch(context, self.schedule_id, change).await
    }
}

/// See `schedule trigger`.
#[derive(Debug, Args)]
pub struct Trigger {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
    #[command(flatten)]
    overlap: Overlap,
}

impl Trigger {
    async fn run(self, context: &mut Context) -> Result {
        let overlap_policy = self.overlap.overlap_policy;
        let trigger =
            TriggerImmediatelyRequest { overlap_policy, ..TriggerImmediatelyRequest::default() };
        let change =
            SchedulePatch { trigger_immediately: Some(trigger), ..SchedulePatch::default() };
        patch(context, self.schedule_id, change).await?;
        context.output.line("Trigger request sent")
    }
}

/// See `schedule backfill`.
#[derive(Debug, Args)]
pub struct Backfill {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
    #[command(flatten)]
    overlap: Overlap,
    /// Begin of the past.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    start_time: Timestamp,
    /// End of the past.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    end_time: Timestamp,
}

impl Backfill {
    async fn run(self, context: &mut Context) -> Result {
        let backfill = BackfillRequest {
            start_time: Some(self.start_time),
            end_time: Some(self.end_time),
            overlap_policy: self.overlap.overlap_policy,
        };
        let change = SchedulePatch { backfill_request: vec![backfill], ..SchedulePatch::default() };
        patch(context, self.schedule_id, change).await?;
        context.output.line("Backfill request sent")
    }
}

/// See `schedule list-matching-times`.
#[derive(Debug, Args)]
pub struct MatchingTimes {
    /// Schedule id.
    #[arg(long, short = 's', value_name = "ID")]
    schedule_id: String,
    /// First time.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    start_time: Timestamp,
    /// Last time.
    #[arg(long, value_name = "TIME", value_parser = values::timestamp)]
    end_time: Timestamp,
}

impl MatchingTimes {
    async fn run(self, context: &mut Context) -> Result {
        let request = ListScheduleMatchingTimesRequest {
            namespace: context.namespace(),
            schedule_id: self.schedule_id,
            start_time: Some(self.start_time),
            end_time: Some(self.end_time),
        };
        let answer = context.call(request).await?;
        let value = context.json(&answer)?;
        if context.output.is_data() {
            return context.output.data(&value);
        }
        for time in crate::context::rows(value, "startTime") {
            context.output.line(time.as_str().unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_becomes_a_cron_string() {
        let text = r#"{"dayOfWeek":"Fri","hour":17,"minute":"5"}"#;
        assert_eq!(cron(text).unwrap(), "0 5 17 * * Fri *");
        let text = r#"{"hour":"1","comment":"why"}"#;
        assert_eq!(cron(text).unwrap(), "0 0 1 * * * * # why");
        assert!(cron(r#"{"hour":"1 2"}"#).is_err());
        assert!(cron(r#"{"hours":"1"}"#).is_err());
    }

    #[test]
    fn an_interval_may_have_an_offset() {
        let both = interval("60m/15m").unwrap();
        assert_eq!(both.every.0.as_secs(), 3_600);
        assert_eq!(both.offset.unwrap().0.as_secs(), 900);
        assert!(interval("60m/").is_err());
    }
}
