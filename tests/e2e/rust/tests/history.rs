//! Histories as lists of event names, written as in the Python suite.

use anyhow::{Result, ensure};
use temporalio_client::{Client, WorkflowFetchHistoryOptions, WorkflowHandle, WorkflowHistory};
use temporalio_common::{
    HasWorkflowDefinition,
    protos::temporal::api::history::v1::{History, HistoryEvent},
};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};
use tokio::time::{Duration, Instant, sleep};

use crate::workflows;

/// How long a test waits for a condition.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one word of an expected sequence stands for; every other word is an event's own name.
const ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("Started", &["WorkflowExecutionStarted"]),
    ("WorkflowTask", &["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"]),
    ("Activity", &["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted"]),
    ("Signaled", &["WorkflowExecutionSignaled"]),
    ("CancelRequested", &["WorkflowExecutionCancelRequested"]),
    ("Completed", &["WorkflowExecutionCompleted"]),
    ("Failed", &["WorkflowExecutionFailed"]),
    ("Canceled", &["WorkflowExecutionCanceled"]),
    ("Terminated", &["WorkflowExecutionTerminated"]),
    ("ContinuedAsNew", &["WorkflowExecutionContinuedAsNew"]),
];

fn expected(words: &str) -> Vec<String> {
    let names = |word: &str| {
        let found = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
        found.map_or_else(
            || vec![word.to_owned()],
            |(_, names)| names.iter().map(|name| (*name).to_owned()).collect(),
        )
    };
    words.split_whitespace().flat_map(names).collect()
}

fn names(events: &[HistoryEvent]) -> Vec<String> {
    events.iter().map(|event| format!("{:?}", event.event_type())).collect()
}

async fn events<W: HasWorkflowDefinition>(
    handle: &WorkflowHandle<Client, W>,
) -> Result<Vec<HistoryEvent>> {
    let options = WorkflowFetchHistoryOptions::builder().build();
    Ok(handle.fetch_history(options).into_events().await?)
}

/// The run's events are exactly `sequence`, numbered without a gap, and the SDK's replayer takes
/// them without an error.
pub async fn assert_history<W: HasWorkflowDefinition>(
    handle: &WorkflowHandle<Client, W>,
    sequence: &str,
) -> Result<()> {
    let events = events(handle).await?;
    assert_eq!(names(&events), expected(sequence));
    let ids: Vec<i64> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, (1..=i64::try_from(ids.len())?).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.event_time.is_some()));
    let options = workflows::register_for_replay(WorkflowReplayerOptions::new())?.build();
    let history = WorkflowHistory::from(History { events });
    WorkflowReplayer::new(options)?.replay_workflow(history).await?;
    Ok(())
}

/// Returns once the history holds an event of this name `count` times.
pub async fn wait_for_event<W: HasWorkflowDefinition>(
    handle: &WorkflowHandle<Client, W>,
    name: &str,
    count: usize,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let names = names(&events(handle).await?);
        if names.iter().filter(|found| *found == name).count() >= count {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "waited in vain for {count} {name}: {names:?}");
        sleep(Duration::from_millis(20)).await;
    }
}
