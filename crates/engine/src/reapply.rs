//! What happened after a reset point, once more (fact sheet section 10).
//!
//! Signals, updates and options come from outside: the new run gets them all. Of children and Nexus
//! operations it gets the results of those that it still waits for. What the workflow itself did,
//! it does again.

use api::{
    enums::v1::{ResetReapplyExcludeType, ResetReapplyType, UpdateAdmittedEventOrigin},
    history::v1::{
        HistoryEvent, WorkflowExecutionOptionsUpdatedEventAttributes,
        WorkflowExecutionUpdateAdmittedEventAttributes, history_event::Attributes,
        workflow_execution_options_updated_event_attributes::WorkflowUpdateOptionsUpdate,
    },
    update::v1::Request,
};

use crate::{
    child,
    draft::{Draft, EventExtras},
    update, update_options,
};

/// What a reset leaves out of what it would apply again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReapplyExclusions {
    /// Signals.
    pub signals: bool,
    /// Updates.
    pub updates: bool,
    /// Results of Nexus operations.
    pub nexus: bool,
    /// Options and results of children, too.
    pub others: bool,
}

impl ReapplyExclusions {
    /// From the two fields that say it: what to take, which is the older one, and what to leave out.
    pub fn new(reapplied: ResetReapplyType, excluded: &[i32]) -> Self {
        let is_excluded = |kind: ResetReapplyExcludeType| excluded.contains(&(kind as i32));
        let none = reapplied == ResetReapplyType::None;
        let signals = none || is_excluded(ResetReapplyExcludeType::Signal);
        let updates = none
            || reapplied == ResetReapplyType::Signal
            || is_excluded(ResetReapplyExcludeType::Update);
        let nexus = is_excluded(ResetReapplyExcludeType::Nexus);
        #[expect(deprecated, reason = "whoever excludes all kinds excludes this one, too")]
        let others =
            signals && updates && nexus && is_excluded(ResetReapplyExcludeType::CancelRequest);
        Self { signals, updates, nexus, others }
    }

    /// True when nothing is applied again.
    pub const fn is_everything(&self) -> bool {
        self.signals && self.updates && self.nexus && self.others
    }

    /// Whether a reset applies an event again, if the new run has a use for it.
    pub fn admit(&self, event: &HistoryEvent) -> bool {
        match &event.attributes {
            Some(Attributes::WorkflowExecutionSignaledEventAttributes(_)) => !self.signals,
            Some(
                Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(_)
                | Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(_),
            ) => !self.updates,
            Some(
                Attributes::NexusOperationStartedEventAttributes(_)
                | Attributes::NexusOperationCompletedEventAttributes(_)
                | Attributes::NexusOperationFailedEventAttributes(_)
                | Attributes::NexusOperationCanceledEventAttributes(_)
                | Attributes::NexusOperationTimedOutEventAttributes(_),
            ) => !self.nexus,
            Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(_)) => !self.others,
            Some(attributes) => !self.others && child::is_news_of_child(attributes),
            None => false,
        }
    }
}

/// Applies an event of the base to the run that begins again.
pub(crate) fn apply(draft: &mut Draft<'_>, event: HistoryEvent) {
    let HistoryEvent { attributes, links, user_metadata, .. } = event;
    let extras = EventExtras { user_metadata, links, ..EventExtras::default() };
    match attributes {
        Some(signal @ Attributes::WorkflowExecutionSignaledEventAttributes(_)) => {
            draft.event_with(signal, extras);
        }
        Some(Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(admitted)) => {
            admit(draft, admitted.request, admitted.origin);
        }
        // One without its request was admitted by an event, which is applied again itself.
        Some(Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted)) => {
            let origin = UpdateAdmittedEventOrigin::Reapply as i32;
            admit(draft, accepted.accepted_request, origin);
        }
        Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(mut updated)) => {
            let is_of_updates = !updated.workflow_update_options.is_empty();
            updated.workflow_update_options.retain(|options| is_awaited_update(draft, options));
            if is_known(draft, &updated) || (is_of_updates && updated == Default::default()) {
                return;
            }
            update_options::write(draft, updated, extras);
        }
        Some(attributes) if is_awaited_nexus(draft, &attributes) => {
            draft.event(attributes);
        }
        Some(attributes) => child::reapply(draft, attributes),
        None => {}
    }
}

fn admit(draft: &mut Draft<'_>, request: Option<Request>, origin: i32) {
    if request.is_none() {
        return;
    }
    let attributes = WorkflowExecutionUpdateAdmittedEventAttributes { request, origin };
    draft.event(Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(attributes));
}

/// True for a request with callbacks that the run has already.
fn is_known(draft: &Draft<'_>, updated: &WorkflowExecutionOptionsUpdatedEventAttributes) -> bool {
    let request_id = &updated.attached_request_id;
    !request_id.is_empty()
        && !updated.attached_completion_callbacks.is_empty()
        && draft.state().attached_requests.contains_key(request_id)
}

/// Whether the run works on an update that a further request had joined.
fn is_awaited_update(draft: &Draft<'_>, options: &WorkflowUpdateOptionsUpdate) -> bool {
    let (state, update_id) = (draft.state(), &options.update_id);
    state.updates.contains_key(update_id)
        && !update::is_known_request(state, update_id, &options.attached_request_id)
}

/// Whether the run waits for what an event tells of a Nexus operation.
fn is_awaited_nexus(draft: &Draft<'_>, attributes: &Attributes) -> bool {
    let operations = &draft.state().nexus_operations;
    let is_pending = |id: i64| operations.contains_key(&id);
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other events are of other things")]
    match attributes {
        Attributes::NexusOperationStartedEventAttributes(started) => operations
            .get(&started.scheduled_event_id)
            .is_some_and(|operation| !operation.is_started()),
        Attributes::NexusOperationCompletedEventAttributes(closed) => {
            is_pending(closed.scheduled_event_id)
        }
        Attributes::NexusOperationFailedEventAttributes(closed) => {
            is_pending(closed.scheduled_event_id)
        }
        Attributes::NexusOperationCanceledEventAttributes(closed) => {
            is_pending(closed.scheduled_event_id)
        }
        Attributes::NexusOperationTimedOutEventAttributes(closed) => {
            is_pending(closed.scheduled_event_id)
        }
        _ => false,
    }
}
