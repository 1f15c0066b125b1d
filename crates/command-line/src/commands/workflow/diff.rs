//! `workflow diff`: where two histories part.

use api::{common::v1::WorkflowExecution, history::v1::HistoryEvent};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{history::Direction, show};
use crate::{
    commands::leaves,
    context::Context,
    error::{Error, Result},
    paint::Paint,
};

/// See `workflow diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Workflow id of the one.
    #[arg(long, short = 'w', value_name = "ID")]
    workflow_id: String,
    /// Run id of the one; its latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
    /// Workflow id of the other; the same when missing.
    #[arg(long, value_name = "ID")]
    other_workflow_id: Option<String>,
    /// Run id of the other; its latest run when missing.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    other_run_id: String,
    /// Compare ids of runs and requests, identities, times and sizes, too.
    #[arg(long)]
    exact: bool,
}

/// Fields that differ between any two runs.
const OF_THE_RUN: &[&str] = &[
    "eventTime",
    "taskId",
    "runId",
    "requestId",
    "identity",
    "originalExecutionRunId",
    "firstExecutionRunId",
    "continuedExecutionRunId",
    "historySizeBytes",
    "workflowId",
];

impl Diff {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let one = WorkflowExecution { workflow_id: self.workflow_id.clone(), run_id: self.run_id };
        let other = WorkflowExecution {
            workflow_id: self.other_workflow_id.unwrap_or(self.workflow_id),
            run_id: self.other_run_id,
        };
        if one == other {
            return Err(Error::usage("name another workflow or another run to compare with"));
        }
        context.begin("reading both histories", None);
        let left = show::all_events(context, one, Direction::Forwards).await?;
        let right = show::all_events(context, other, Direction::Forwards).await?;
        context.end();
        let mut differences = Vec::new();
        for index in 0..left.len().max(right.len()) {
            let of = |events: &[HistoryEvent]| match events.get(index) {
                Some(event) => event_lines(context, event, self.exact),
                None => Ok(Vec::new()),
            };
            let (left, right) = (of(&left)?, of(&right)?);
            if left != right {
                differences.push((index + 1, left, right));
            }
        }
        print(context, &differences)
    }
}

/// The leaves of an event.
fn event_lines(context: &Context, event: &HistoryEvent, exact: bool) -> Result<Vec<String>> {
    let mut value = context.json(event)?;
    if !exact {
        strip(&mut value);
    }
    let mut lines = leaves::of(&value);
    lines.sort();
    Ok(lines)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, _| !OF_THE_RUN.contains(&key.as_str()));
            object.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

fn print(context: &mut Context, differences: &[(usize, Vec<String>, Vec<String>)]) -> Result {
    if context.output.is_data() {
        let rows = differences.iter().map(|(event_id, left, right)| {
            let mut row = Map::new();
            row.insert("eventId".to_owned(), json!(event_id));
            row.insert("removed".to_owned(), json!(without(left, right)));
            row.insert("added".to_owned(), json!(without(right, left)));
            Value::Object(row)
        });
        return context.output.data(&rows.collect());
    }
    if differences.is_empty() {
        return context.output.line("The histories are the same.");
    }
    for (event_id, left, right) in differences {
        context.output.heading(&format!("Event {event_id}:"))?;
        for (mark, paint, lines) in
            [('-', Paint::Red, without(left, right)), ('+', Paint::Green, without(right, left))]
        {
            for line in lines {
                let line = context.output.paint(&format!("{mark} {line}"), paint);
                context.output.line(&format!("  {line}"))?;
            }
        }
    }
    Ok(())
}

/// The lines that the other does not have.
fn without<'a>(lines: &'a [String], other: &[String]) -> Vec<&'a String> {
    lines.iter().filter(|line| !other.contains(line)).collect()
}
