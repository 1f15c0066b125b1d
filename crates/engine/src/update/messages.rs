//! What a workflow task carries to its worker.

use api::protocol::v1::{Message, message::SequencingId};
use model::Limits;
use prost::Message as _;
use prost_types::Any;

use crate::{Mutation, State, UpdatesSent, draft::Draft};

use super::Update;

/// Share of a run's updates, in percent, from which on it is told to continue as new.
const SUGGEST_PERCENT: usize = 90;

/// The updates that the started workflow task brings to its worker, in the order of their
/// admission. One that was sent before and not answered is sent `again`.
pub(crate) fn send(draft: &mut Draft<'_>, again: bool) -> Vec<Message> {
    let state = draft.state();
    let Some(task) = state.workflow_task.as_ref().filter(|task| task.is_started()) else {
        return Vec::new();
    };
    let sequencing = SequencingId::EventId(task.started_event_id - 1);
    let mut waiting: Vec<(&String, &Update)> = state
        .updates
        .iter()
        .map(|(update_id, update)| (update_id, &**update))
        .filter(|(_, update)| !update.is_accepted() && (again || !update.sent))
        .collect();
    waiting.sort_by_key(|(_, update)| update.admission);
    let news = waiting.iter().filter(|(_, update)| !update.sent);
    let update_ids: Vec<String> = news.map(|(update_id, _)| (*update_id).clone()).collect();
    let messages = waiting
        .into_iter()
        .filter_map(|(update_id, update)| message(update_id, update, sequencing))
        .collect();
    if !update_ids.is_empty() {
        draft.mutate(Mutation::UpdatesSent(UpdatesSent { update_ids }));
    }
    messages
}

/// A request whose event is in the history reaches the worker with it, without a message.
fn message(update_id: &str, update: &Update, sequencing: SequencingId) -> Option<Message> {
    let request = update.request.as_ref()?;
    Some(Message {
        id: message_id(update_id),
        protocol_instance_id: update_id.to_owned(),
        body: Some(Any {
            type_url: "type.googleapis.com/temporal.api.update.v1.Request".to_owned(),
            value: request.encode_to_vec(),
        }),
        sequencing_id: Some(sequencing),
    })
}

/// The id of the message that brings an update to a worker.
pub(super) fn message_id(update_id: &str) -> String {
    format!("{update_id}/request")
}

/// True when an update waits for a worker.
pub(crate) fn any_waits(state: &State) -> bool {
    state.updates.values().any(|update| !update.is_accepted())
}

/// True when the run has had nearly as many updates as it may have.
pub(crate) fn too_many(state: &State, limits: &Limits) -> bool {
    let threshold = (limits.updates_per_run_max * SUGGEST_PERCENT).div_ceil(100);
    threshold > 0 && state.updates_in_total() >= threshold
}
