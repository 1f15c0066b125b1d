//! Task tokens of the reference server, which workers may still hold when this one takes its place.

use engine::Rejection;
use model::{NamespaceId, RunId};
use prost::Message;

/// Longest workflow id that a refusal repeats, in bytes.
const WORKFLOW_ID_BYTES_MAX: usize = 1000;

/// The beginning of such a token. It is not authenticated: nobody believes it.
#[derive(Clone, PartialEq, Message)]
struct ForeignToken {
    #[prost(string, tag = "1")]
    namespace_id: String,
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(string, tag = "3")]
    run_id: String,
}

/// What the worker is told whose token has the reference's form: that there is no such run, upon
/// which SDKs drop the task. Whether there is one is not looked up.
pub(super) fn refusal(encoded: &[u8]) -> Option<Rejection> {
    let token = ForeignToken::decode(encoded).ok()?;
    let ForeignToken { namespace_id, workflow_id, run_id } = token;
    let is_named = !workflow_id.is_empty() && workflow_id.len() <= WORKFLOW_ID_BYTES_MAX;
    let has_ids = namespace_id.parse::<NamespaceId>().is_ok() && run_id.parse::<RunId>().is_ok();
    (is_named && has_ids).then_some(Rejection::RunNotFound { workflow_id, run_id })
}
