//! Workers are told to stop only what nobody waits for any more.

use api::history::v1::history_event::Attributes;
use bytes::Bytes;
use model::{NamespaceId, RunId};
use prost::Message;
use token_keys::Purpose;

use crate::{
    check::{ensure, snapshot::Snapshot},
    cluster::token_keys,
    witness::Facts,
};

/// A part of the form of task tokens.
#[derive(Clone, PartialEq, Message)]
struct Token {
    #[prost(bytes = "bytes", tag = "3")]
    run_id: Bytes,
    #[prost(message, optional, tag = "5")]
    activity: Option<Attempt>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Attempt {
    #[prost(int64, tag = "1")]
    scheduled_event_id: i64,
}

/// Every attempt that a worker was told to stop is of a run that has closed, or that wanted that.
pub(crate) fn check(facts: &Facts, snapshot: &Snapshot) -> Result<(), String> {
    for (identity, token) in &facts.told_to_stop {
        let named = read(token).ok_or_else(|| format!("{identity} was told to stop nothing"))?;
        let (run_id, scheduled) = named;
        let run = snapshot.runs.get(&run_id);
        let run = run.ok_or_else(|| format!("{identity} was told of run {run_id}"))?;
        let is_wanted = run.events.iter().any(|event| {
            matches!(&event.attributes,
                Some(Attributes::ActivityTaskCancelRequestedEventAttributes(requested))
                    if requested.scheduled_event_id == scheduled)
        });
        let is_over = run.events.iter().any(|event| {
            matches!(&event.attributes,
                Some(Attributes::ActivityTaskCompletedEventAttributes(completed))
                    if completed.scheduled_event_id == scheduled)
        });
        ensure!(
            is_wanted || !is_over,
            "{identity} was told to stop activity {scheduled} of `{}`, which completed",
            run.state.workflow_id
        );
        ensure!(
            is_wanted || !run.state.is_running(),
            "{identity} was told to stop activity {scheduled} of `{}`",
            run.state.workflow_id
        );
    }
    Ok(())
}

fn read(token: &Bytes) -> Option<(RunId, i64)> {
    let keys = token_keys();
    let body = keys.open(Purpose::Task, NamespaceId::default(), token)?;
    let token = Token::decode(body).ok()?;
    let run_id = RunId::from_bytes(token.run_id.as_ref().try_into().ok()?);
    Some((run_id, token.activity?.scheduled_event_id))
}
