//! What came of a workflow.

use api::{
    enums::v1::EventType,
    failure::v1::Failure,
    history::v1::{HistoryEvent, history_event::Attributes},
};
use serde_json::{Map, Value};

use crate::{
    context::Context,
    error::{Error, Result},
    paint::Paint,
    proto_json, times,
};

/// The status that a close event stands for.
fn status(event: &HistoryEvent) -> (&'static str, Paint) {
    match event.event_type() {
        EventType::WorkflowExecutionCompleted => ("COMPLETED", Paint::Green),
        EventType::WorkflowExecutionFailed => ("FAILED", Paint::Red),
        EventType::WorkflowExecutionTimedOut => ("TIMEOUT", Paint::Red),
        EventType::WorkflowExecutionCanceled => ("CANCELED", Paint::Red),
        EventType::WorkflowExecutionTerminated => ("TERMINATED", Paint::Red),
        _ => ("<unknown>", Paint::None),
    }
}

/// Puts the close event and what follows from it into a JSON object.
pub(crate) fn add_to(
    object: &mut Map<String, Value>,
    context: &Context,
    event: &HistoryEvent,
) -> Result {
    // Two kinds of ends have no name of their own in the reference's answers.
    let name = match event.event_type() {
        EventType::WorkflowExecutionTerminated => "<unknown>",
        _ => status(event).0,
    };
    object.insert("status".to_owned(), name.into());
    object.insert("closeEvent".to_owned(), context.json(event)?);
    if let Some(result) = result(context, event)? {
        object.insert("result".to_owned(), result);
    }
    Ok(())
}

/// The result of a workflow that completed.
pub(crate) fn result(context: &Context, event: &HistoryEvent) -> Result<Option<Value>> {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(attributes)) => {
            proto_json::result(attributes.result.as_ref(), context.output.shorthand).map(Some)
        }
        _ => Ok(None),
    }
}

/// Prints what came of a workflow for people.
pub(crate) fn print(context: &mut Context, event: &HistoryEvent, millis: Option<i64>) -> Result {
    let (status, paint) = status(event);
    let mut fields = vec![
        ("RunTime", millis.map(times::length).unwrap_or_default()),
        ("Status", context.output.paint(status, paint)),
    ];
    match &event.attributes {
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(attributes)) => {
            let value = proto_json::result(attributes.result.as_ref(), context.output.shorthand)?;
            fields.push(("Result", value.to_string()));
            let first = attributes.result.as_ref().and_then(|result| result.payloads.first());
            if let Some(encoding) = first.and_then(|payload| payload.metadata.get("encoding")) {
                let encoding = String::from_utf8_lossy(encoding).into_owned();
                fields.push(("ResultEncoding", encoding));
            }
        }
        Some(Attributes::WorkflowExecutionFailedEventAttributes(attributes)) => {
            fields.push(("Failure", failure(attributes.failure.as_ref())));
        }
        Some(Attributes::WorkflowExecutionTerminatedEventAttributes(attributes)) => {
            fields.push(("Reason", attributes.reason.clone()));
        }
        _ => {}
    }
    context.output.heading("Results:")?;
    context.output.card(&fields)
}

/// A failure and its causes.
pub(crate) fn failure(failure: Option<&Failure>) -> String {
    let mut text = String::new();
    let mut indent = String::from("    ");
    let mut next = failure;
    while let Some(failure) = next {
        text.push_str(&format!("\n{indent}Message: {}", failure.message));
        if !failure.stack_trace.is_empty() {
            let lines = failure.stack_trace.replace('\n', &format!("\n{indent}    "));
            text.push_str(&format!("\n{indent}StackTrace:\n{indent}    {lines}"));
        }
        next = failure.cause.as_deref();
        if next.is_some() {
            text.push_str(&format!("\n{indent}Cause:"));
            indent.push_str("    ");
        }
    }
    text
}

/// An error unless the workflow completed.
pub(crate) fn check(event: &HistoryEvent) -> Result {
    match event.event_type() {
        EventType::WorkflowExecutionCompleted => Ok(()),
        _ => Err(Error::Outcome("workflow failed".to_owned())),
    }
}
