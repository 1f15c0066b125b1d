//! What the audit log is told of requests: who, for which namespace, how many payloads; nothing of
//! what is in them.

use std::sync::Arc;

use audit::{AuditLog, Call, Decision, Names};
use http::StatusCode;
use listener::Peer;

use crate::{
    connection::Refusal,
    request::{Action, Question},
    rights::{Decided, Denied},
};

/// The name of the service in records.
const SERVICE: &str = "longtide.codec";

/// Tells the log what came of a request. What nobody may see unseen waits until it is written.
pub(crate) async fn record(
    log: &Arc<AuditLog>,
    peer: &Peer,
    question: &Question,
    decided: &Decided,
    payloads: usize,
    outcome: Result<(), &Refusal>,
) {
    let mut target = Names::default();
    target.add("workflow_id", &question.context.workflow_id);
    if payloads > 0 {
        target.add("payloads", &payloads.to_string());
    }
    let (decision, rule) = match decided.may {
        Ok(()) => (Decision::Allowed, ""),
        Err(Denied::NoRight) => (Decision::Denied, "no rule allows it"),
        Err(Denied::NoCredentials) => (Decision::Denied, "no credentials"),
        Err(Denied::NotTaken) => (Decision::Unauthenticated, "credentials are not taken"),
        Err(Denied::NobodyKnows) => (Decision::Denied, "the server could not be asked"),
    };
    let call = Call {
        principal: decided.who.clone(),
        source: peer.address.to_string(),
        rpc: match question.action {
            Action::Encode => "Encode",
            Action::Decode => "Decode",
        },
        service: SERVICE,
        namespace: question.context.namespace.clone(),
        target,
        decision,
        rule: rule.to_owned(),
        outcome: outcome.map_or_else(|refusal| code(refusal.status()), |()| "OK"),
    };
    log.record(call).await;
}

/// The outcome in the words of other records.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
        StatusCode::FORBIDDEN => "PERMISSION_DENIED",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => "RESOURCE_EXHAUSTED",
        StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
        StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}
