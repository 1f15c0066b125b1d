//! `workflow top`: what runs, in the terminal, again and again.

mod screen;
mod state;
mod terminal;

use std::time::Duration;

use api::{
    common::v1::WorkflowExecution,
    workflowservice::v1::{
        CountWorkflowExecutionsRequest, DescribeWorkflowExecutionRequest,
        GetWorkflowExecutionHistoryReverseRequest, ListWorkflowExecutionsRequest,
    },
};
use clap::Args;

use self::{
    state::{Detail, Row, Top, Wish},
    terminal::Terminal,
};
use crate::{
    columns,
    commands::count::Groups as _,
    context::Context,
    error::{Error, Result},
    proto_json,
    values::{self, Length},
};

/// Most workflows that are shown.
const ROWS_MAX: i32 = 500;

/// Most of a workflow's last events that are shown.
const EVENTS_MAX: i32 = 20;

/// Shortest pause between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// See `workflow top`.
#[derive(Debug, Args)]
pub struct ShowTop {
    /// List filter.
    #[arg(long, short = 'q', value_name = "QUERY", default_value = "", hide_default_value = true)]
    query: String,
    /// How often to look.
    #[arg(long, value_name = "DURATION", value_parser = values::length, default_value = "2s")]
    interval: Length,
}

impl ShowTop {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let on_terminal = context.around.terminal && terminal::has_keyboard();
        if !on_terminal {
            return Err(Error::usage(
                "`workflow top` needs a terminal; `workflow list --watch` prints to anything",
            ));
        }
        let mut top = Top::new(self.query);
        // The first look is before the screen: a server that is not there is told as ever.
        look(context, &mut top).await?;
        let mut terminal = Terminal::open()?;
        let pause = self.interval.0.max(PAUSE_MIN);
        let mut next = tokio::time::Instant::now() + pause;
        loop {
            let size = terminal.size();
            terminal.show(&screen::draw(&top, context, size))?;
            let wish = tokio::select! {
                key = terminal.key() => match key {
                    Some(key) => top.press(key, size),
                    None => Wish::End,
                },
                () = tokio::time::sleep_until(next) => Wish::Look,
            };
            match wish {
                Wish::Nothing => {}
                Wish::Look => {
                    if let Err(error) = look(context, &mut top).await {
                        top.problem = Some(error.to_string());
                    }
                    next = tokio::time::Instant::now() + pause;
                }
                Wish::End => return Ok(()),
            }
        }
    }
}

/// Asks the server.
async fn look(context: &mut Context, top: &mut Top) -> Result {
    let namespace = context.namespace();
    if let Some(detail) = &top.detail {
        let execution = detail.execution.clone();
        top.detail = Some(describe(context, execution).await?);
        top.problem = None;
        return Ok(());
    }
    let query = top.query.clone();
    let request = ListWorkflowExecutionsRequest {
        namespace: namespace.clone(),
        query: query.clone(),
        page_size: ROWS_MAX,
        ..ListWorkflowExecutionsRequest::default()
    };
    let answer = context.call(request).await?;
    top.set_rows(answer.executions.iter().map(Row::of).collect());
    let separator = if query.trim().is_empty() { "" } else { " " };
    let request = CountWorkflowExecutionsRequest {
        namespace,
        query: format!("{query}{separator}GROUP BY ExecutionStatus"),
    };
    let mut answer = context.call(request).await?;
    answer.strip_types();
    let groups = answer.groups();
    let name = |values: &[_]| values.first().map(proto_json::value).unwrap_or_default();
    top.counts =
        groups.iter().map(|(count, values)| (columns::text(&name(values)), *count)).collect();
    top.total = answer.count;
    top.problem = None;
    Ok(())
}

/// A workflow with its pending work and its last events.
async fn describe(context: &mut Context, execution: WorkflowExecution) -> Result<Detail> {
    let namespace = context.namespace();
    let request = DescribeWorkflowExecutionRequest {
        namespace: namespace.clone(),
        execution: Some(execution.clone()),
    };
    let description = context.call(request).await?;
    let request = GetWorkflowExecutionHistoryReverseRequest {
        namespace,
        execution: Some(execution.clone()),
        maximum_page_size: EVENTS_MAX,
        ..GetWorkflowExecutionHistoryReverseRequest::default()
    };
    let answer = context.call(request).await?;
    let events = super::history::events(answer.history)?;
    Ok(Detail { execution, description: Box::new(description), events })
}
