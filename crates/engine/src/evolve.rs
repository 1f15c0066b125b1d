//! Folding a change into a state: total, and the only code that changes one.

use api::history::v1::{HistoryEvent, history_event::Attributes};
use model::Time;
use prost::Message as _;

use crate::{
    Change, Mutation, Shared, State, activity, attach_request, callback, cancel, child, close,
    external, nexus_operation, pause, reset, reset_points, signal, start, time_skipping, timer,
    update, update_options, upsert, versioning, worker_command, workflow_task,
};

/// Folds one change into a state.
pub fn evolve(state: &mut State, change: &Change) {
    match change {
        Change::Event(event) => apply_event(state, event),
        Change::Mutation(mutation) => apply_mutation(state, mutation),
    }
}

fn apply_event(state: &mut State, event: &HistoryEvent) {
    state.next_event_id = event.event_id.saturating_add(1);
    let length = event.encoded_len();
    let framed = length + prost::length_delimiter_len(length) + 1;
    state.history_bytes = state.history_bytes.saturating_add(i64::try_from(framed).unwrap_or(0));
    let was_running = state.is_running();
    apply_effect(state, event);
    if was_running && !state.is_running() {
        child::note_close(state, event);
        callback::note_close(state, event);
    }
    if matches!(event.attributes, Some(Attributes::WorkflowExecutionSignaledEventAttributes(_))) {
        state.signal_count = state.signal_count.saturating_add(1);
    }
}

/// What an event does to a state besides entering the history. A buffered event does it on arrival
/// and again when it is flushed, so every effect here is idempotent.
fn apply_effect(state: &mut State, event: &HistoryEvent) {
    let time = Time::from_proto(event.event_time.as_ref());
    let Some(attributes) = &event.attributes else { return };
    match attributes {
        Attributes::WorkflowExecutionStartedEventAttributes(started) => {
            start::apply_started(state, started, event.user_metadata.as_ref(), time);
            versioning::apply_started(state, started);
            time_skipping::apply_started(state, started, time);
        }
        Attributes::WorkflowExecutionCompletedEventAttributes(completed) => {
            close::apply_completed(state, completed, time);
        }
        Attributes::WorkflowExecutionFailedEventAttributes(failed) => {
            close::apply_failed(state, failed, time);
        }
        Attributes::WorkflowExecutionTimedOutEventAttributes(timed_out) => {
            close::apply_timed_out(state, timed_out, time);
        }
        Attributes::WorkflowExecutionCanceledEventAttributes(_) => {
            close::apply_canceled(state, time);
        }
        Attributes::WorkflowExecutionTerminatedEventAttributes(_) => {
            close::apply_terminated(state, time);
        }
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(continued) => {
            close::apply_continued_as_new(state, continued, time);
        }
        Attributes::WorkflowTaskScheduledEventAttributes(scheduled) => {
            workflow_task::apply_scheduled(state, event.event_id, scheduled, time);
        }
        Attributes::WorkflowTaskStartedEventAttributes(started) => {
            workflow_task::apply_started(state, event.event_id, started, time);
        }
        Attributes::WorkflowTaskCompletedEventAttributes(completed) => {
            workflow_task::apply_completed(state, completed);
            reset_points::apply_completed(state, event.event_id, completed, time);
            versioning::apply_completed(state, completed);
        }
        Attributes::WorkflowTaskFailedEventAttributes(failed) => {
            workflow_task::apply_failed(state, failed);
        }
        Attributes::WorkflowTaskTimedOutEventAttributes(timed_out) => {
            workflow_task::apply_timed_out(state, timed_out);
        }
        Attributes::ActivityTaskScheduledEventAttributes(scheduled) => {
            activity::apply_scheduled(state, event.event_id, scheduled, time);
        }
        Attributes::ActivityTaskCancelRequestedEventAttributes(requested) => {
            activity::apply_cancel_requested(state, event.event_id, requested);
            worker_command::note_cancel_requested(state, requested);
        }
        Attributes::ActivityTaskCompletedEventAttributes(closed) => {
            activity::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::ActivityTaskFailedEventAttributes(closed) => {
            activity::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::ActivityTaskTimedOutEventAttributes(closed) => {
            activity::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::ActivityTaskCanceledEventAttributes(closed) => {
            activity::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::TimerStartedEventAttributes(started) => {
            timer::apply_started(state, event.event_id, started, time);
        }
        Attributes::TimerFiredEventAttributes(fired) => {
            timer::apply_ended(state, &fired.timer_id, fired.started_event_id);
        }
        Attributes::TimerCanceledEventAttributes(canceled) => {
            timer::apply_ended(state, &canceled.timer_id, canceled.started_event_id);
        }
        Attributes::WorkflowExecutionSignaledEventAttributes(signaled) => {
            signal::apply_signaled(state, signaled);
        }
        Attributes::WorkflowExecutionCancelRequestedEventAttributes(_) => {
            cancel::apply_requested(state);
        }
        Attributes::UpsertWorkflowSearchAttributesEventAttributes(upserted) => {
            upsert::apply_search_attributes(state, upserted);
        }
        Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated) => {
            attach_request::apply(state, event.event_id, updated, time);
            versioning::apply_options_updated(state, updated);
            update_options::apply_updated(state, updated);
            time_skipping::apply_options_updated(state, updated, time);
            update::apply_options_updated(state, updated, event);
        }
        Attributes::WorkflowPropertiesModifiedEventAttributes(modified) => {
            upsert::apply_memo(state, modified);
        }
        Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(initiated) => {
            let user_metadata = event.user_metadata.as_ref();
            child::apply_initiated(state, event.event_id, initiated, user_metadata);
        }
        Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed) => {
            state.children.remove(&failed.initiated_event_id);
        }
        Attributes::ChildWorkflowExecutionStartedEventAttributes(started) => {
            child::apply_started(state, event.event_id, started);
        }
        Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed) => {
            state.children.remove(&closed.initiated_event_id);
        }
        Attributes::ChildWorkflowExecutionFailedEventAttributes(closed) => {
            state.children.remove(&closed.initiated_event_id);
        }
        Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed) => {
            state.children.remove(&closed.initiated_event_id);
        }
        Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed) => {
            state.children.remove(&closed.initiated_event_id);
        }
        Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed) => {
            state.children.remove(&closed.initiated_event_id);
        }
        Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(initiated) => {
            external::apply_signal_initiated(state, event.event_id, initiated);
        }
        Attributes::ExternalWorkflowExecutionSignaledEventAttributes(ended) => {
            state.external_signals.remove(&ended.initiated_event_id);
        }
        Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(ended) => {
            state.external_signals.remove(&ended.initiated_event_id);
        }
        Attributes::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes(initiated) => {
            external::apply_cancel_initiated(state, event.event_id, initiated);
        }
        Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(ended) => {
            state.external_cancels.remove(&ended.initiated_event_id);
        }
        Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(ended) => {
            state.external_cancels.remove(&ended.initiated_event_id);
        }
        Attributes::NexusOperationScheduledEventAttributes(scheduled) => {
            nexus_operation::apply_scheduled(state, event.event_id, scheduled, time);
        }
        Attributes::NexusOperationStartedEventAttributes(started) => {
            nexus_operation::apply_started(state, started, time);
        }
        Attributes::NexusOperationCompletedEventAttributes(closed) => {
            nexus_operation::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::NexusOperationFailedEventAttributes(closed) => {
            nexus_operation::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::NexusOperationCanceledEventAttributes(closed) => {
            nexus_operation::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::NexusOperationTimedOutEventAttributes(closed) => {
            nexus_operation::apply_closed(state, closed.scheduled_event_id);
        }
        Attributes::NexusOperationCancelRequestedEventAttributes(requested) => {
            nexus_operation::apply_cancel_requested(state, event.event_id, requested, time);
        }
        Attributes::NexusOperationCancelRequestCompletedEventAttributes(ended) => {
            nexus_operation::apply_cancel_delivered(state, ended.scheduled_event_id, time);
        }
        Attributes::NexusOperationCancelRequestFailedEventAttributes(ended) => {
            nexus_operation::apply_cancel_ended(state, ended.scheduled_event_id);
        }
        Attributes::WorkflowExecutionTimeSkippingTransitionedEventAttributes(transitioned) => {
            time_skipping::apply_transitioned(state, transitioned, time);
        }
        Attributes::WorkflowExecutionUpdateAdmittedEventAttributes(admitted) => {
            update::apply_admitted_event(state, event, admitted);
        }
        Attributes::WorkflowExecutionUpdateAcceptedEventAttributes(accepted) => {
            update::apply_accepted(state, event, accepted);
        }
        Attributes::WorkflowExecutionUpdateCompletedEventAttributes(completed) => {
            update::apply_completed(state, event.event_id, completed);
        }
        Attributes::WorkflowExecutionPausedEventAttributes(paused) => {
            pause::apply_paused(state, paused, time);
        }
        Attributes::WorkflowExecutionUnpausedEventAttributes(_) => pause::apply_unpaused(state),
        // An activity's start is in the state already; markers change nothing.
        Attributes::ActivityTaskStartedEventAttributes(_)
        | Attributes::MarkerRecordedEventAttributes(_)
        // Events of concepts that this engine does not have yet: kept in histories, without effect.
        | Attributes::WorkflowExecutionUpdateRejectedEventAttributes(_)
        | Attributes::WorkflowPropertiesModifiedExternallyEventAttributes(_)
        | Attributes::ActivityPropertiesModifiedExternallyEventAttributes(_) => {}
    }
}

fn apply_mutation(state: &mut State, mutation: &Mutation) {
    match mutation {
        Mutation::RunCreated(created) => {
            state.namespace_id.clone_from(&created.namespace_id);
            state.workflow_id.clone_from(&created.workflow_id);
            state.run_id.clone_from(&created.run_id);
            state.start_request_id.clone_from(&created.request_id);
            state.watchers.clone_from(&created.watchers);
        }
        Mutation::EventBuffered(event) => {
            state.buffered_events.push(Shared::clone(event));
            apply_effect(state, event);
        }
        Mutation::BufferFlushed(_) => state.buffered_events.clear(),
        Mutation::BufferedTimerDropped(dropped) => timer::apply_dropped(state, &dropped.timer_id),
        Mutation::WorkflowTaskScheduled(scheduled) => {
            workflow_task::apply_transient_scheduled(state, scheduled);
        }
        Mutation::WorkflowTaskStarted(started) => {
            workflow_task::apply_transient_started(state, started);
        }
        Mutation::WorkflowTaskDropped(dropped) => workflow_task::apply_dropped(state, dropped),
        Mutation::WorkflowTaskDetailed(detailed) => workflow_task::apply_detailed(state, detailed),
        Mutation::WorkflowTaskFailuresForgiven(_) => state.workflow_task_failures = 0,
        Mutation::StickySet(set) => state.sticky.clone_from(&set.sticky),
        Mutation::ClosingSet(set) => state.closing = set.closing,
        Mutation::ActivityStarted(started) => activity::apply_started(state, started),
        Mutation::ActivityHeartbeat(heartbeat) => activity::apply_heartbeat(state, heartbeat),
        Mutation::ActivityRetryScheduled(retry) => activity::apply_retry_scheduled(state, retry),
        Mutation::ActivityRetryDue(due) => activity::apply_retry_due(state, due),
        Mutation::ParentInformed(_) => child::apply_parent_informed(state),
        Mutation::ClosePolicyApplied(_) => child::apply_close_policy_applied(state),
        Mutation::ChildReleased(released) => child::apply_released(state, *released),
        Mutation::NexusOperationAttemptFailed(failed) => {
            nexus_operation::apply_attempt_failed(state, failed);
        }
        Mutation::NexusOperationRetryDue(due) => nexus_operation::apply_retry_due(state, due),
        Mutation::NexusCancellationAttemptFailed(failed) => {
            nexus_operation::apply_cancellation_failed(state, failed);
        }
        Mutation::NexusCancellationRetryDue(due) => {
            nexus_operation::apply_cancellation_retry_due(state, due);
        }
        Mutation::CallbackAttempted(attempted) => callback::apply_attempted(state, attempted),
        Mutation::CallbackRetryDue(due) => callback::apply_retry_due(state, *due),
        Mutation::RequestAttached(attached) => {
            state.attached_requests.insert(attached.request_id.clone(), attached.time);
        }
        Mutation::ActivityPaused(paused) => activity::apply_paused(state, paused),
        Mutation::ActivityUnpaused(unpaused) => activity::apply_unpaused(state, unpaused),
        Mutation::ActivityReset(reset) => activity::apply_reset(state, reset),
        Mutation::ActivityOptionsSet(set) => activity::apply_options_set(state, set),
        Mutation::RunReset(run) => reset::apply_reset(state, run),
        Mutation::ResetRecorded(recorded) => reset::apply_recorded(state, recorded),
        Mutation::UpdateAdmitted(admitted) => update::apply_admitted(state, admitted),
        Mutation::UpdateJoined(joined) => update::apply_joined(state, joined),
        Mutation::UpdatesSent(sent) => update::apply_sent(state, sent),
        Mutation::UpdatesDropped(dropped) | Mutation::AdmittedUpdatesDropped(dropped) => {
            update::apply_dropped(state, dropped);
        }
        Mutation::SpeculativeWorkflowTaskSet(set) => state.workflow_task.clone_from(&set.task),
        Mutation::VersionTransitionSet(set) => versioning::apply_transition(state, set),
        Mutation::TargetVersionNotified(notified) => versioning::apply_notified(state, notified),
        Mutation::WorkerCommandsSent(sent) => worker_command::apply_sent(state, *sent),
    }
}
