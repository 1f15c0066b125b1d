//! What standalone activities do outside of themselves.

use ::entity::EntityKey;
use engine::{CallbackDelivery, StartedActivity};
use model::RunId;
use standalone_activity::{Delivered, StandaloneActivity, State, Work};

use super::{EntityScope, Perform};
use crate::{Delivery, History, HistoryError, StandaloneActivityDelivery, nexus::handler_failure};

impl Perform for StandaloneActivity {
    async fn perform(
        _history: &History,
        _scope: &EntityScope,
        _number: u64,
        _work: Work,
    ) -> Result<Delivered, HistoryError> {
        let failure = handler_failure("NOT_IMPLEMENTED", "callbacks of activities are not built");
        Ok(Delivered(CallbackDelivery::Failed { failure, retryable: false }))
    }

    fn delivery(state: &State, key: &EntityKey, instance: RunId) -> Option<Delivery> {
        let attempts = &state.attempts;
        let activity = StartedActivity {
            scheduled_event_id: 0,
            scheduled: attempts.scheduled.clone()?,
            attempt: attempts.attempt,
            heartbeat_details: attempts.heartbeat_details.clone(),
            last_failure: attempts.last_failure.clone(),
            scheduled_time: state.schedule_time,
            attempt_scheduled_time: attempts.attempt_scheduled_time,
            started_time: attempts.started_time,
            workflow_type: String::new(),
        };
        Some(Delivery::StandaloneActivity(Box::new(StandaloneActivityDelivery {
            namespace_id: key.namespace_id,
            run_id: instance,
            stamp: state.held_stamp,
            activity,
        })))
    }
}
