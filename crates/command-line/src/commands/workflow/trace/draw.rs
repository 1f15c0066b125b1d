//! A tree of runs as lines.

use std::collections::BTreeMap;

use api::common::v1::WorkflowExecution;
use prost_types::Timestamp;

use super::state::{Item, Kind, Run, Status};
use crate::{output::Output, paint::Paint, times};

/// What is drawn, and how much of it.
pub(super) struct Drawing<'a> {
    pub(super) runs: &'a BTreeMap<String, Run>,
    pub(super) fold: &'a [Status],
    pub(super) now: jiff::Timestamp,
    pub(super) output: &'a Output,
    pub(super) lines: Vec<String>,
}

impl Drawing<'_> {
    /// Draws a run and what it gave out.
    pub(super) fn run(&mut self, run: &Run, depth: usize) {
        let indent = indent(depth);
        let extras = self.extras(run.begin.as_ref(), run.end.as_ref(), run.attempt);
        let mark = self.mark(run.status, false);
        self.lines.push(format!("{indent}╪ {mark} {}{extras}", run.name));
        self.ids(&indent, &run.execution);
        for text in run.failure.iter().chain(&run.notes) {
            let text = self.output.paint(text, Paint::Red);
            self.lines.push(format!("{indent}│   {text}"));
        }
        if depth > 0 && self.fold.contains(&run.status) && !run.items.is_empty() {
            return self.folded(&indent);
        }
        for item in &run.items {
            self.item(item, depth + 1);
        }
    }

    fn item(&mut self, item: &Item, depth: usize) {
        let known = item.run.as_ref().and_then(|execution| self.runs.get(&execution.run_id));
        match (item.kind, known) {
            // What follows a run stands below it, not in it.
            (Kind::Next, Some(run)) => return self.run(run, depth.saturating_sub(1)),
            (_, Some(run)) => return self.run(run, depth),
            (_, None) => {}
        }
        let indent = indent(depth);
        let mark = self.mark(item.status, item.kind == Kind::Timer);
        let extras = self.extras(item.begin.as_ref(), item.end.as_ref(), item.attempt);
        // A run below the depth that is followed is named, and that is all.
        let fork = if item.run.is_some() { "╪" } else { "┼" };
        self.lines.push(format!("{indent}{fork} {mark} {}{extras}", item.name));
        if let Some(execution) = &item.run {
            self.ids(&indent, execution);
            self.folded(&indent);
        }
        if let Some(text) = &item.failure {
            let text = self.output.paint(text, Paint::Red);
            self.lines.push(format!("{indent}│   {text}"));
        }
    }

    fn ids(&mut self, indent: &str, execution: &WorkflowExecution) {
        let [workflow_id, run_id] = [&execution.workflow_id, &execution.run_id]
            .map(|id| self.output.paint(id, Paint::Blue));
        self.lines.push(format!("{indent}│   wfId: {workflow_id}, runId: {run_id}"));
    }

    fn folded(&mut self, indent: &str) {
        self.lines.push(format!("{indent}│   ↳ execution folded"));
    }

    /// How long it took or takes, and how often it was tried.
    fn extras(&self, begin: Option<&Timestamp>, end: Option<&Timestamp>, attempt: i32) -> String {
        let millis = |time: &Timestamp| time.seconds * 1000 + i64::from(time.nanos) / 1_000_000;
        let end = end.map_or(self.now.as_millisecond(), millis);
        let took = begin.map(|begin| times::length((end - millis(begin)).max(0)));
        let attempt = (attempt > 1).then(|| format!("attempt {attempt}"));
        let extras: Vec<_> = took.into_iter().chain(attempt).collect();
        if extras.is_empty() { String::new() } else { format!(" ({})", extras.join(", ")) }
    }

    fn mark(&self, status: Status, timer: bool) -> String {
        let (mark, paint) = match status {
            Status::Waiting => ("•", Paint::None),
            Status::Running => ("▷", Paint::Blue),
            Status::Completed => ("✓", Paint::Green),
            Status::Failed => ("!", Paint::Red),
            Status::Canceled => ("x", Paint::Yellow),
            Status::Terminated => ("x", Paint::Red),
            Status::TimedOut => ("⏱", Paint::Red),
            Status::ContinuedAsNew => ("»", Paint::Green),
        };
        let mark = if timer { "⧖" } else { mark };
        self.output.paint(mark, paint)
    }
}

fn indent(depth: usize) -> String {
    " ".to_owned() + &"│   ".repeat(depth)
}
