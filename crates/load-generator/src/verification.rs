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
}

/// Compares everything; `sample` is how many workflows there are per history that is read whole.
///
/// # Errors
/// With the first differences, when there is any.
pub async fn verify(
    starter: &Starter,
    started: &[Started],
    sample: u64,
) -> anyhow::Result<Verified> {
    let mut verified = Verified::default();
    let mut differences = Vec::new();
    let mut checks = stream::iter(started.iter().map(|started| async move {
        let with_result = starter.scenario != Scenario::Start;
        let with_history = started.index.is_multiple_of(sample.max(1));
        if with_result {
            check_result(starter, started).await?;
        }
        if with_history {
            check_history(starter, started).await?;
        }
        Ok((with_result, with_history))
    }))
    .buffer_unordered(CONCURRENT_READS);
    let mut wrong = 0;
    while let Some(check) = checks.next().await {
        let check: anyhow::Result<(bool, bool)> = check;
        match check {
            Ok((result, history)) => {
                verified.results += u64::from(result);
                verified.histories += u64::from(history);
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

async fn check_result(starter: &Starter, started: &Started) -> anyhow::Result<()> {
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
    // The id of the last event is the length of the history: a look at every workflow that costs
    // no further call. A wrong length is worth reading the history, which names the difference.
    if event.event_id != i64::try_from(starter.scenario.expected_events().len())? {
        check_history(starter, started).await?;
        anyhow::bail!("workflow `{workflow_id}` ended with event id {}", event.event_id);
    }
    Ok(())
}

async fn check_history(starter: &Starter, started: &Started) -> anyhow::Result<()> {
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
    let expected = starter.scenario.expected_events();
    let types: Vec<_> = events.iter().map(|event| event.event_type()).collect();
    anyhow::ensure!(
        types == expected,
        "workflow `{workflow_id}` has the history {}",
        history::type_names(&events).join(", ")
    );
    for (event, id) in events.iter().zip(1..) {
        anyhow::ensure!(
            event.event_id == id,
            "workflow `{workflow_id}` has event id {} in place {id}",
            event.event_id
        );
    }
    Ok(())
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
