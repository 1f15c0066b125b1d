//! What standalone activities do outside of themselves.

use ::entity::EntityKey;
use api::{
    activity::v1::activity_execution_outcome::Value,
    common::v1::{Link, link},
};
use engine::{CallbackDelivery, NexusOperationEnd, StartedActivity};
use model::RunId;
use standalone_activity::{Completion, Delivered, StandaloneActivity, State, Work};
use visibility_query::{Schema, SystemAttribute};

use super::{EntityScope, Perform};
use crate::{
    Delivery, DestinationKind, History, HistoryError, StandaloneActivityDelivery,
    outbox::{News, callback_destination, deliver_news},
};

/// What queries about activities call the attributes that runs have by themselves.
pub const ACTIVITY_ATTRIBUTES: [(&str, SystemAttribute); 2] =
    [("ActivityId", SystemAttribute::WorkflowId), ("ActivityType", SystemAttribute::WorkflowType)];

/// The names that queries about activities know.
pub fn activity_schema(schema: Schema) -> Schema {
    let aliases = ACTIVITY_ATTRIBUTES.into_iter();
    aliases.fold(schema, |schema, (name, attribute)| schema.with_alias(name, attribute.into()))
}

impl Perform for StandaloneActivity {
    async fn perform(
        history: &History,
        scope: &EntityScope,
        _number: u64,
        work: Work,
    ) -> Result<Delivered, HistoryError> {
        let Work { callback, completion } = work;
        let link = link::Activity {
            namespace: scope.namespace.name.clone(),
            activity_id: scope.key.id.clone(),
            run_id: scope.instance.to_string(),
        };
        let news = News {
            link: Link { variant: Some(link::Variant::Activity(link)) },
            start_time: completion.schedule_time,
            close_time: completion.close_time,
            end: end(completion),
        };
        deliver_news(history, &callback, news).await.map(Delivered)
    }

    fn destination(work: &Work) -> Option<(DestinationKind, String)> {
        Some((DestinationKind::Callback, callback_destination(&work.callback)?))
    }

    fn has_answered(Delivered(delivery): &Delivered) -> bool {
        !matches!(delivery, CallbackDelivery::Failed { retryable: true, .. })
    }

    fn delivery(state: &State, key: &EntityKey, instance: RunId) -> Option<Delivery> {
        let attempts = &state.attempts;
        let scheduled = attempts.scheduled.clone()?;
        let activity = StartedActivity {
            scheduled_event_id: 0,
            priority: scheduled.priority.clone(),
            scheduled,
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

/// How an activity ended, as a handler of an operation would say it: with its first result.
fn end(completion: Completion) -> NexusOperationEnd {
    let Completion { outcome, is_canceled, .. } = completion;
    match outcome.value {
        Some(Value::Result(result)) => {
            let result = result.payloads.into_iter().next();
            NexusOperationEnd::Succeeded { result, links: Vec::new() }
        }
        Some(Value::Failure(failure)) if is_canceled => NexusOperationEnd::Canceled(failure),
        Some(Value::Failure(failure)) => NexusOperationEnd::Failed(failure),
        None => NexusOperationEnd::Failed(Default::default()),
    }
}
