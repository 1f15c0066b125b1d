//! After the measured time: every result, a sample of exact histories, the count of all.

use std::time::Duration;

use anyhow::Context as _;
use api::{
    history::v1::history_event::Attributes,
    workflowservice::v1::{CountWorkflowExecutionsRequest, GetWorkflowExecutionHistoryRequest},
};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::{
    client::NAMESPACE,
    history, payload,
    scenario::Scenario,
    starter::{Started, Starter},
};

/// Reads in flight while verifying.
const CONCURRENT_READS: usize = 32;
/// Differences named in the report; further ones are only counted.
const DIFFERENCES_MAX: usize = 10;
/// Visibility may follow the runs at a distance.
const COUNT_PATIENCE: Duration = Duration::from_secs(30);
const COUNT_INTERVAL: Duration = Duration::from_millis(200);

/// What was read back and found right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Results that were compared.
    pub results: u64,
    /// Whole histories that were compared event by event.
    pub histories: u64,
    /// What the visibility count answered.
    pub counted: i64,
    /// Workflow tasks that timed out, where that is tolerated.
    pub timed_out_tasks: u64,
}

/// What to look at, and how strictly.
#[derive(Debug, Clone, Copy)]
pub struct Checks {
    /// One in this many histories is read whole.
    pub sample: u64,
    /// Accept that tasks time out and come again: the reference, short of processor time, now and
    /// then loses a task on its way to the worker and hands it out again 10 s later.
    pub tolerate_time_outs: bool,
}

/// Compares everything.
///
/// # Errors
/// With the first differences, when there is any.
pub async fn verify(
    starter: &Starter,
    started: &[Started],
    checks: Checks,
) -> anyhow::Result<Verified> {
    let mut verified = Verified::default();
    let mut differences = Vec::new();
    let mut outcomes = stream::iter(started)
        .map(|started| check(starter, started, checks))
        .buffer_unordered(CONCURRENT_READS);
    let mut wrong = 0;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(one) => {
                verified.results += one.results;
                verified.histories += one.histories;
                verified.timed_out_tasks += one.timed_out_tasks;
            }
            Err(difference) => {
                wrong += 1;
                if differences.len() < DIFFERENCES_MAX {
                    differences.push(format!("{difference:#}"));
                }
            }
        }
    }
    anyhow::ensure!(wrong == 0, "{wrong} workflows differ: {}", differences.join("; "));
    verified.counted = check_count(starter, started.len()).await?;
    Ok(verified)
}

async fn check(starter: &Starter, started: &Started, checks: Checks) -> anyhow::Result<Verified> {
    let mut verified = Verified::default();
    let mut length_differs = false;
    if starter.scenario != Scenario::Start {
        let length = check_result(starter, started).await?;
        verified.results = 1;
        // The id of the last event is the length of the history: a look at every workflow that
        // costs no further call. A wrong length is worth reading the history.
        length_differs = length != i64::try_from(starter.scenario.expected_events().len())?;
    }
    if length_differs || started.index.is_multiple_of(checks.sample.max(1)) {
        verified.timed_out_tasks = check_history(starter, started, checks).await?;
        verified.histories = 1;
    }
    Ok(verified)
}

/// Compares the result and gives the id of the closing event.
async fn check_result(starter: &Starter, started: &Started) -> anyhow::Result<i64> {
    let workflow_id = &started.execution.workflow_id;
    let event = starter.close_event(started).await?;
    let Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) = &event.attributes
    else {
        let event_type = event.event_type().as_str_name();
        anyhow::bail!("workflow `{workflow_id}` ended with {event_type}");
    };
    let expected = starter.scenario.program().expected_result(started.index);
    let result = payload::decode(completed.result.as_ref());
    anyhow::ensure!(
        result == Some(expected),
        "workflow `{workflow_id}` has result {result:?} instead of {expected}"
    );
    Ok(event.event_id)
}

/// Compares the whole history and gives the number of timed-out workflow tasks in it.
async fn check_history(
    starter: &Starter,
    started: &Started,
    checks: Checks,
) -> anyhow::Result<u64> {
    let workflow_id = &started.execution.workflow_id;
    let mut events = Vec::new();
    let mut next_page_token = bytes::Bytes::new();
    loop {
        let request = GetWorkflowExecutionHistoryRequest {
            namespace: NAMESPACE.to_owned(),
            execution: Some(started.execution.clone()),
            next_page_token,
            ..Default::default()
        };
        let page = starter.client.history(request).await.context("reading a history")?;
        events.extend(page.history.map_or(Ok(Vec::new()), |raw| raw.decode_events())?);
        next_page_token = page.next_page_token;
        if next_page_token.is_empty() {
            break;
        }
    }
    let types: Vec<_> = events.iter().map(|event| event.event_type()).collect();
    let (kept, timed_out) = history::without_timed_out_tasks(&types);
    let compared = if checks.tolerate_time_outs { &kept } else { &types };
    if let Some(difference) = history::difference(compared, &starter.scenario.expected_events()) {
        anyhow::bail!("in the history of workflow `{workflow_id}` {difference}");
    }
    for (event, id) in events.iter().zip(1..) {
        anyhow::ensure!(
            event.event_id == id,
            "workflow `{workflow_id}` has event id {} in place {id}",
            event.event_id
        );
    }
    Ok(timed_out)
}

async fn check_count(starter: &Starter, expected: usize) -> anyhow::Result<i64> {
    let status = if starter.scenario == Scenario::Start { "Running" } else { "Completed" };
    let request = CountWorkflowExecutionsRequest {
        namespace: NAMESPACE.to_owned(),
        query: format!("TaskQueue = '{}' AND ExecutionStatus = '{status}'", starter.task_queue),
    };
    let expected = i64::try_from(expected)?;
    let mut waited = Duration::ZERO;
    loop {
        let count = starter.client.count(request.clone()).await.context("counting")?.count;
        if count == expected {
            return Ok(count);
        }
        anyhow::ensure!(
            waited < COUNT_PATIENCE,
            "{count} {} workflows are counted instead of {expected}",
            status.to_lowercase()
        );
        tokio::time::sleep(COUNT_INTERVAL).await;
        waited += COUNT_INTERVAL;
    }
}
