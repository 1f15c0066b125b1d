//! The outcome of a decision, and the record of it that is stored.

use std::sync::Arc;

use api::RawHistory;
use bytes::Bytes;
use prost::{DecodeError, Message};

use crate::{Change, Reply, State, UpdateNotice, change::MutationRecord, evolve, task::Task};

/// What the buffer of a record starts with, in bytes: most records are smaller.
const RECORD_BYTES: usize = 512;

/// What an input leads to. Nothing of it is true before it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The state after it: the state before with `changes` folded in (a law).
    pub state: Arc<State>,
    /// What changes, in order.
    pub changes: Vec<Change>,
    /// After how many events of this transition each event batch ends, rising; a batch is never
    /// split between pages of a history.
    pub batch_ends: Vec<usize>,
    /// Durable work, stored in the same commit.
    pub tasks: Vec<Task>,
    /// The first transition of a run that follows this one, stored in the same commit.
    pub new_run: Option<Box<Transition>>,
    /// What those who wait for updates are told after the commit.
    pub notices: Vec<UpdateNotice>,
    /// What the caller is told after the commit.
    pub reply: Reply,
}

impl Transition {
    /// True when nothing changes, in the store or in memory.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.tasks.is_empty()
            && self.new_run.is_none()
            && self.notices.is_empty()
    }

    /// True when one of its changes is to be stored.
    pub fn has_stored_changes(&self) -> bool {
        self.changes.iter().any(Change::is_stored)
    }

    /// Appends what follows on this transition's state, so that both are stored as one. The reply
    /// becomes the later one's.
    pub fn then(&mut self, next: Self) {
        let events = self.event_count();
        self.changes.extend(next.changes);
        self.batch_ends.extend(next.batch_ends.into_iter().map(|end| end + events));
        self.tasks.extend(next.tasks);
        self.new_run = next.new_run.or(self.new_run.take());
        self.notices.extend(next.notices);
        self.state = next.state;
        self.reply = next.reply;
    }

    /// How many events it adds.
    pub fn event_count(&self) -> usize {
        self.changes.iter().filter(|change| matches!(change, Change::Event(_))).count()
    }

    /// The stored form of the changes; what is in memory only is left out.
    pub fn record(&self) -> TransitionRecord {
        let mut record = TransitionRecord::default();
        let mut encoded = Vec::with_capacity(RECORD_BYTES);
        let mut sizes = Vec::with_capacity(self.batch_ends.len() + 1);
        let mut whole = 0;
        let mut batch_ends = self.batch_ends.iter().peekable();
        let mut events = 0;
        for change in self.changes.iter().filter(|change| change.is_stored()) {
            match change {
                Change::Event(event) => {
                    // A `History` message is its events, one after the other, as field 1.
                    prost::encoding::message::encode(1, event.as_ref(), &mut encoded);
                    events += 1;
                    if batch_ends.next_if_eq(&&events).is_some() {
                        sizes.push(encoded.len() - whole);
                        whole = encoded.len();
                    }
                }
                Change::Mutation(mutation) => record.mutations.push(PlacedMutation {
                    position: u32::try_from(events).unwrap_or(u32::MAX),
                    mutation: Some(MutationRecord { mutation: Some((**mutation).clone()) }),
                }),
            }
        }
        if whole < encoded.len() {
            sizes.push(encoded.len() - whole);
        }
        let mut encoded = Bytes::from(encoded);
        record.batches = sizes.into_iter().map(|size| encoded.split_to(size)).collect();
        record
    }
}

/// A transition's changes as stored. Readers of a history take the batches as they are.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TransitionRecord {
    /// Event batches: encoded `temporal.api.history.v1.History` messages.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub batches: Vec<Bytes>,
    /// The changes between the events.
    #[prost(message, repeated, tag = "2")]
    pub mutations: Vec<PlacedMutation>,
}

/// A mutation and its place among the events.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PlacedMutation {
    /// How many events of the record come before it.
    #[prost(uint32, tag = "1")]
    pub position: u32,
    /// The mutation.
    #[prost(message, optional, tag = "2")]
    pub mutation: Option<MutationRecord>,
}

impl TransitionRecord {
    /// The changes in order.
    ///
    /// # Errors
    /// When the bytes are not what this program, or an older one, wrote.
    pub fn changes(self) -> Result<Vec<Change>, DecodeError> {
        let mut changes = Vec::new();
        let mut mutations = self.mutations.into_iter().peekable();
        let mut position = 0;
        for batch in self.batches {
            for event in RawHistory::from_encoded(batch).decode_events()? {
                while let Some(placed) = mutations.next_if(|next| next.position <= position) {
                    push_mutation(&mut changes, placed)?;
                }
                changes.push(Change::Event(Box::new(event)));
                position += 1;
            }
        }
        for placed in mutations {
            push_mutation(&mut changes, placed)?;
        }
        Ok(changes)
    }

    /// Folds the record into a state that is now at `version`.
    ///
    /// # Errors
    /// When the bytes are not what this program, or an older one, wrote.
    pub fn fold(encoded: Bytes, version: u64, state: &mut State) -> Result<(), DecodeError> {
        for change in Self::decode(encoded)?.changes()? {
            evolve(state, &change);
        }
        state.version = version;
        Ok(())
    }
}

fn push_mutation(changes: &mut Vec<Change>, placed: PlacedMutation) -> Result<(), DecodeError> {
    let mutation = placed.mutation.and_then(|record| record.mutation);
    let mutation =
        mutation.ok_or_else(|| DecodeError::new("a mutation that this program does not know"))?;
    changes.push(Change::Mutation(Box::new(mutation)));
    Ok(())
}
