//! What standalone Nexus operations do outside of themselves.

use engine::{
    CallbackDelivery, NexusCancellationAnswer, NexusOperation, NexusOperationAnswer,
    NexusOperationEnd,
};
use standalone_nexus_operation::{
    Completion, Done, StandaloneNexusOperation, Work, outcome::Value,
};

use super::{EntityScope, Perform};
use crate::{
    DestinationKind, History, HistoryError,
    nexus::{CallbackToken, Waiter, nexus_operation_link},
    outbox::{News, callback_destination, deliver_news},
};

impl Perform for StandaloneNexusOperation {
    async fn perform(
        history: &History,
        scope: &EntityScope,
        _number: u64,
        work: Work,
    ) -> Result<Done, HistoryError> {
        let EntityScope { namespace, key, instance } = scope;
        let link = nexus_operation_link(&namespace.name, &key.id, &instance.to_string());
        Ok(match work {
            Work::Start(operation) => {
                let token = CallbackToken {
                    waiter: Waiter::Entity { key: key.clone(), instance: *instance },
                    request_id: operation.request_id().to_owned(),
                };
                Done::Started(history.ask_to_start(namespace, &operation, &token, &link).await?)
            }
            Work::Cancel(operation) => Done::Canceled(history.ask_to_cancel(&operation).await?),
            Work::Tell(told) => {
                let (callback, completion) = *told;
                let news = News {
                    link,
                    start_time: completion.schedule_time,
                    close_time: completion.close_time,
                    end: end(completion),
                };
                Done::Told(deliver_news(history, &callback, news).await?)
            }
        })
    }

    fn destination(work: &Work) -> Option<(DestinationKind, String)> {
        let endpoint = |operation: &NexusOperation| {
            operation.scheduled.as_ref().map(|scheduled| scheduled.endpoint.clone())
        };
        Some(match work {
            Work::Start(operation) => (DestinationKind::StartNexusOperation, endpoint(operation)?),
            Work::Cancel(operation) => {
                (DestinationKind::CancelNexusOperation, endpoint(operation)?)
            }
            Work::Tell(told) => (DestinationKind::Callback, callback_destination(&told.0)?),
        })
    }

    fn has_answered(done: &Done) -> bool {
        !matches!(
            done,
            Done::Started(NexusOperationAnswer::HandlerFailed { retryable: true, .. })
                | Done::Canceled(NexusCancellationAnswer::HandlerFailed { retryable: true, .. })
                | Done::Told(CallbackDelivery::Failed { retryable: true, .. })
        )
    }
}

/// How an operation ended, as a handler of another would say it.
fn end(completion: Completion) -> NexusOperationEnd {
    let Completion { outcome, is_canceled, .. } = completion;
    match outcome.value {
        Some(Value::Result(result)) => {
            NexusOperationEnd::Succeeded { result: Some(result), links: Vec::new() }
        }
        Some(Value::Failure(failure)) if is_canceled => NexusOperationEnd::Canceled(*failure),
        Some(Value::Failure(failure)) => NexusOperationEnd::Failed(*failure),
        None => NexusOperationEnd::Failed(Default::default()),
    }
}
