//! What the node shows equals what the store holds: descriptions, histories and lists.

use std::collections::BTreeMap;

use api::RawHistory;
use history::{Execution, RunKey};
use model::{RunId, SlotId, WorkflowKey};
use visibility::{Change, Record};
use visibility_query::{Condition, Predicate, SystemAttribute, Test};

use crate::{
    broken::Broken,
    check::{
        ensure,
        snapshot::{Snapshot, StoredRun},
    },
    cluster::Life,
};

/// Runs of a page of a list.
const PAGE: usize = 50;

/// Compares every run.
pub(crate) async fn check(life: &Life, snapshot: &Snapshot) -> Result<(), String> {
    let listed = list(life).await?;
    for (run_id, run) in &snapshot.runs {
        check_run(life, *run_id, run).await?;
        let workflow_id = &run.state.workflow_id;
        let Some(record) = listed.get(run_id) else {
            return Err(format!("run {run_id} of `{workflow_id}` is in no list"));
        };
        ensure!(
            record.status == run.state.status && record.close_time == run.state.close_time,
            "run {run_id} of `{workflow_id}` is listed with status {} instead of {}",
            record.status,
            run.state.status
        );
        let memo = run.state.memo.as_ref().map(engine::Shared::to_owned_message);
        let stored = run.state.search_attributes.as_ref().map(engine::Shared::to_owned_message);
        let stored = stored.unwrap_or_default().indexed_fields;
        ensure!(
            stored.keys().all(|name| record.search_attributes.contains_key(name)),
            "run {run_id} of `{workflow_id}` is listed without some of its search attributes"
        );
        ensure!(record.memo == memo, "run {run_id} of `{workflow_id}` is listed with an old memo");
    }
    ensure!(
        listed.len() == snapshot.runs.len(),
        "{} runs are listed, and {} are stored",
        listed.len(),
        snapshot.runs.len()
    );
    let all = workflows();
    let count = life.visibility.count(life.namespace_id, &all).await;
    let count = count.map_err(|error| error.to_string())?;
    ensure!(usize::try_from(count) == Ok(listed.len()), "{count} runs are counted");
    Ok(())
}

/// Spoils the lists.
pub(crate) async fn spoil(life: &Life, snapshot: &Snapshot, broken: Broken) -> Result<(), String> {
    let Some((run_id, run)) = snapshot.runs.iter().next() else { return Ok(()) };
    let (namespace_id, version) = (life.namespace_id, u64::MAX >> 1);
    let change = match broken {
        Broken::ListsTooFew => Change::Delete { namespace_id, run_id: *run_id, version },
        Broken::ListsTooMany => {
            let Some(mut record) = list(life).await?.remove(run_id) else { return Ok(()) };
            record.run_id = run_id.derived(1);
            Change::Upsert(Box::new(record))
        }
        _ => return Ok(()),
    };
    let slot = SlotId::new(run.slot).ok_or("there is no such slot")?;
    let submitted = life.visibility.submit(slot, u64::MAX >> 1, change).await;
    submitted.map(drop).map_err(|error| error.to_string())
}

/// Every run of the lists.
pub(crate) async fn list(life: &Life) -> Result<BTreeMap<RunId, Record>, String> {
    let all = workflows();
    let mut listed = BTreeMap::new();
    let mut token = Vec::new();
    loop {
        let page = life.visibility.list(life.namespace_id, &all, PAGE, &token).await;
        let page = page.map_err(|error| error.to_string())?;
        for record in page.records {
            let run_id = record.run_id;
            ensure!(listed.insert(run_id, record).is_none(), "run {run_id} is listed twice");
        }
        if page.next_page_token.is_empty() {
            return Ok(listed);
        }
        token = page.next_page_token;
    }
}

/// All workflows: entities of other kinds are listed in divisions of their own.
fn workflows() -> Predicate {
    let attribute = SystemAttribute::TemporalNamespaceDivision.into();
    Predicate::Condition(Condition { attribute, test: Test::Null { negated: false } })
}

async fn check_run(life: &Life, run_id: RunId, run: &StoredRun) -> Result<(), String> {
    let workflow_id = &run.state.workflow_id;
    let execution = Execution::run(workflow_id, run_id);
    let described = life.history.describe(&life.permit, &life.namespace(), &execution).await;
    let described = described.map_err(|error| format!("run {run_id}: {error}"))?;
    ensure!(
        *described.state == run.state,
        "run {run_id} of `{workflow_id}` is described as\n{:?}\nand stored as\n{:?}",
        described.state,
        run.state
    );
    let workflow =
        WorkflowKey { namespace_id: life.namespace_id, workflow_id: workflow_id.clone() };
    let key = RunKey { workflow, run_id };
    let mut events = Vec::new();
    let mut next = Some(1);
    while let Some(from) = next {
        let page = life
            .history
            .read_history(&life.permit, &life.namespace(), &key, from..i64::MAX, 5)
            .await;
        let page = page.map_err(|error| format!("run {run_id}: {error}"))?;
        for batch in page.batches {
            let batch = RawHistory::from_encoded(batch).decode_events();
            events.extend(batch.map_err(|error| error.to_string())?);
        }
        next = page.next_event_id;
    }
    ensure!(events == run.events, "the history of run {run_id} is not what is stored");
    let mut backwards = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let (permit, namespace) = (&life.permit, &life.namespace());
        let page = life.history.read_history_reverse(permit, namespace, &key, from, 5).await;
        let page = page.map_err(|error| format!("run {run_id}: {error}"))?;
        for batch in page.batches {
            let batch = RawHistory::from_encoded(batch).decode_events();
            backwards.extend(batch.map_err(|error| error.to_string())?);
        }
        next = page.next_event_id;
    }
    backwards.reverse();
    ensure!(backwards == run.events, "the reversed history of run {run_id} is not what is stored");
    Ok(())
}
