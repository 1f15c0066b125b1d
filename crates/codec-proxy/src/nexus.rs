//! Failures in Nexus's own form, as workers of older releases send them: a message, and details that
//! are JSON. What they say is encoded as that of other failures is; servers keep them as such.

use std::collections::BTreeMap;

use api::{failure::v1::Failure, nexus::v1::Failure as NexusFailure};
use prost::Message as _;

use crate::CoderError;

/// The name of such a message.
pub(crate) const FAILURE: &str = "temporal.api.nexus.v1.Failure";

/// The failure as one of Temporal's, encoded as a message.
pub(crate) fn opened(failure: &[u8]) -> Result<Vec<u8>, CoderError> {
    let failure = NexusFailure::decode(failure).map_err(|_| CoderError::NexusFailure)?;
    let failure = nexus_protocol::Failure::of_message(&failure).into_temporal();
    Ok(failure.ok_or(CoderError::NexusFailure)?.encode_to_vec())
}

/// The inverse of [`opened`].
pub(crate) fn closed(failure: &[u8]) -> Result<Vec<u8>, CoderError> {
    let failure = Failure::decode(failure).map_err(|_| CoderError::NexusFailure)?;
    Ok(to_message(nexus_protocol::Failure::of(&failure)).encode_to_vec())
}

fn to_message(failure: nexus_protocol::Failure) -> NexusFailure {
    let nexus_protocol::Failure { message, stack_trace, metadata, details, cause } = failure;
    NexusFailure {
        message,
        stack_trace,
        metadata: metadata.into_iter().collect::<BTreeMap<_, _>>(),
        details: details.map(|json| json.get().to_owned().into()).unwrap_or_default(),
        cause: cause.map(|cause| Box::new(to_message(*cause))),
    }
}
