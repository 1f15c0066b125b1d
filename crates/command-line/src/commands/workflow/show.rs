//! `workflow show` and `workflow result`.

use api::{
    common::v1::WorkflowExecution, enums::v1::EventType, history::v1::HistoryEvent,
    workflowservice::v1::DescribeWorkflowExecutionRequest,
};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    history::{self, Direction, HistoryReader},
    outcome,
};
use crate::{
    commands::{leaves, target::WorkflowReference},
    context::Context,
    error::Result,
    paint::Paint,
    proto_json,
    values::camel,
};

/// See `workflow show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Go on until the workflow ends.
    #[arg(long, short = 'f')]
    follow: bool,
    /// Newest events first.
    #[arg(long, conflicts_with = "follow")]
    reverse: bool,
    /// Show events with all they hold.
    #[arg(long)]
    detailed: bool,
}

impl Show {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let direction = match (self.follow, self.reverse) {
            (true, _) => Direction::Following,
            (_, true) => Direction::Backwards,
            _ => Direction::Forwards,
        };
        let execution = self.workflow.execution().unwrap_or_default();
        if context.output.is_data() {
            let events = all_events(context, execution, direction).await?;
            // Never short: replayers of SDKs read this.
            let history = proto_json::to_json(&api::History { events }, false)?;
            return context.output.data(&history);
        }
        context.output.heading("Progress:")?;
        let reader = HistoryReader::new(execution, direction);
        let end = print_events(context, reader, self.detailed).await?;
        context.output.line("")?;
        match end {
            Some(event) => outcome::print(context, &event, None),
            None => Ok(()),
        }
    }
}

/// All events of a history.
pub(crate) async fn all_events(
    context: &mut Context,
    execution: WorkflowExecution,
    direction: Direction,
) -> Result<Vec<HistoryEvent>> {
    let mut reader = HistoryReader::new(execution, direction);
    let mut events = Vec::new();
    while let Some(page) = reader.page(context).await? {
        context.progress.add(page.len());
        events.extend(page);
    }
    Ok(events)
}

/// Prints events as they come; gives back the one that closed the workflow.
pub(crate) async fn print_events(
    context: &mut Context,
    mut reader: HistoryReader,
    detailed: bool,
) -> Result<Option<HistoryEvent>> {
    let mut end = None;
    if !detailed {
        let heading = format!("  {:>3}  {:<20}  {:<26}", "ID", "Time", "Type");
        context.output.line(heading.trim_end())?;
    }
    while let Some(events) = reader.page(context).await? {
        for event in events {
            if detailed {
                print_detailed(context, &event)?;
            } else {
                print_line(context, &event)?;
            }
            if history::closes(&event) {
                end = Some(event);
            }
        }
    }
    Ok(end)
}

fn event_type(event: &HistoryEvent) -> String {
    let name = event.event_type().as_str_name();
    camel(name.strip_prefix("EVENT_TYPE_").unwrap_or(name))
}

fn paint(event: &HistoryEvent) -> Paint {
    let name = event.event_type().as_str_name();
    match event.event_type() {
        EventType::WorkflowExecutionStarted | EventType::ChildWorkflowExecutionStarted => {
            Paint::Blue
        }
        EventType::WorkflowExecutionCompleted | EventType::ChildWorkflowExecutionCompleted => {
            Paint::Green
        }
        _ if name.ends_with("_FAILED") => Paint::Red,
        _ if name.ends_with("_TIMED_OUT") => Paint::Yellow,
        _ if name.ends_with("_CANCELED") => Paint::Magenta,
        _ => Paint::None,
    }
}

fn print_line(context: &mut Context, event: &HistoryEvent) -> Result {
    let time = event.event_time.as_ref();
    let time = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    let time = time.map(crate::times::iso).unwrap_or_default();
    let name = context.output.paint(&event_type(event), paint(event));
    let told = what_it_tells(event);
    let line = format!("  {:>3}  {time:<20}  {name:<26}  {told}", event.event_id);
    context.output.line(line.trim_end())
}

/// What tells an event from others of its type.
fn what_it_tells(event: &HistoryEvent) -> String {
    use api::history::v1::history_event::Attributes as A;
    let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
    match &event.attributes {
        Some(A::WorkflowExecutionStartedEventAttributes(it)) => {
            name(it.workflow_type.as_ref().map(|it| it.name.as_str()))
        }
        Some(A::ActivityTaskScheduledEventAttributes(it)) => {
            name(it.activity_type.as_ref().map(|it| it.name.as_str()))
        }
        Some(A::WorkflowExecutionSignaledEventAttributes(it)) => it.signal_name.clone(),
        Some(A::TimerStartedEventAttributes(it)) => it.timer_id.clone(),
        Some(A::TimerFiredEventAttributes(it)) => it.timer_id.clone(),
        Some(A::MarkerRecordedEventAttributes(it)) => it.marker_name.clone(),
        Some(A::StartChildWorkflowExecutionInitiatedEventAttributes(it)) => it.workflow_id.clone(),
        Some(A::NexusOperationScheduledEventAttributes(it)) => {
            format!("{}/{}", it.service, it.operation)
        }
        Some(A::ActivityTaskFailedEventAttributes(it)) => {
            name(it.failure.as_ref().map(|it| it.message.as_str()))
        }
        Some(A::WorkflowTaskFailedEventAttributes(it)) => {
            name(it.failure.as_ref().map(|it| it.message.as_str()))
        }
        Some(A::WorkflowExecutionFailedEventAttributes(it)) => {
            name(it.failure.as_ref().map(|it| it.message.as_str()))
        }
        _ => String::new(),
    }
}

fn print_detailed(context: &mut Context, event: &HistoryEvent) -> Result {
    let heading = format!(
        "--------------- [{}] {} ---------------",
        event.event_id,
        context.output.paint(&event_type(event), paint(event))
    );
    context.output.line(&heading)?;
    let Value::Object(mut object) = context.json(event)? else { return Ok(()) };
    object.remove("eventId");
    object.remove("eventType");
    let mut lines = Vec::new();
    for (key, value) in object {
        // The attributes stand beside what all events have.
        let place = if key.ends_with("Attributes") { String::new() } else { key };
        lines.extend(leaves::below(&place, &value));
    }
    lines.sort();
    for line in lines {
        context.output.line(&line)?;
    }
    context.output.line("")
}

/// See `workflow result`.
#[derive(Debug, Args)]
pub struct ShowResult {
    #[command(flatten)]
    workflow: WorkflowReference,
}

impl ShowResult {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let mut execution = self.workflow.execution().unwrap_or_default();
        if execution.run_id.is_empty() {
            // The answer tells from which run on it was waited.
            let request = DescribeWorkflowExecutionRequest {
                namespace: context.namespace(),
                execution: Some(execution.clone()),
            };
            let info = context.call(request).await?.workflow_execution_info.unwrap_or_default();
            execution = info.execution.unwrap_or(execution);
        }
        let run_id = execution.run_id.clone();
        context.begin("waiting until the workflow ends", None);
        let event = history::close_event(context, execution).await?;
        context.end();
        if context.output.is_data() {
            let mut object = Map::new();
            object.insert("workflowId".to_owned(), json!(self.workflow.workflow_id));
            object.insert("runId".to_owned(), json!(run_id));
            object.insert("namespace".to_owned(), json!(context.settings.namespace));
            outcome::add_to(&mut object, context, &event)?;
            context.output.data(&Value::Object(object))?;
        } else {
            outcome::print(context, &event, None)?;
        }
        outcome::check(&event)
    }
}
