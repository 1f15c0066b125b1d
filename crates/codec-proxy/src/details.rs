//! The details of a refusal, which may hold payloads: why a query failed, what a run ended with.

use longtide_codec::{Context, ENCODED_FAILURE};
use prost::Message;
use prost_types::Any;
use tonic::Status;

use crate::{Coder, CoderError};

const ANY: &str = "google.protobuf.Any";
const QUERY_FAILED: &str = "temporal.api.errordetails.v1.QueryFailedFailure";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// The refusal with its details decoded.
pub(crate) async fn decoded(
    coder: &Coder,
    context: &Context,
    status: Status,
) -> Result<Status, CoderError> {
    // Details that cannot be read are nobody's payloads.
    let Ok(mut inside) = RpcStatus::decode(status.details()) else { return Ok(status) };
    if inside.details.is_empty() {
        return Ok(status);
    }
    let mut message = status.message().to_owned();
    for detail in &mut inside.details {
        let decoded = coder.decode(context, ANY, &detail.encode_to_vec()).await?;
        let Ok(decoded) = Any::decode(decoded.as_slice()) else { continue };
        if message == ENCODED_FAILURE
            && let Some(said) = said(&decoded)
        {
            message = said;
        }
        *detail = decoded;
    }
    if inside.message == ENCODED_FAILURE {
        inside.message.clone_from(&message);
    }
    let details = inside.encode_to_vec().into();
    let metadata = status.metadata().clone();
    Ok(Status::with_details_and_metadata(status.code(), message, details, metadata))
}

/// What the failure of a query says.
fn said(detail: &Any) -> Option<String> {
    if !detail.type_url.ends_with(QUERY_FAILED) {
        return None;
    }
    let failed = api::errordetails::v1::QueryFailedFailure::decode(detail.value.as_slice());
    failed.ok()?.failure.map(|failure| failure.message).filter(|said| !said.is_empty())
}
