//! Messages of the API with their payloads encoded, and decoded.

use std::{fmt, sync::Arc};

use longtide_codec::{
    Codec, CodecError, Context, DescriptorError, UnknownField, VisitError, Visitor, Vocabulary,
    decode_common_attributes, encode_common_attributes,
};

use crate::{nexus, queries};

const FAILURE: &str = "temporal.api.failure.v1.Failure";

/// How messages are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoderSettings {
    /// Whether messages and stack traces of failures are encoded, too.
    pub encode_failures: bool,
    /// Lets fields of requests pass that the API's description does not know, and with them any
    /// payload that they hold.
    pub dangerous_pass_unknown_fields: bool,
}

/// Turns messages into others, by the API's own description.
pub struct Coder {
    codec: Arc<dyn Codec>,
    payloads: Visitor,
    nexus: Visitor,
    /// What else of failures is encoded, if anything.
    errors: Option<Errors>,
    vocabulary: Option<Vocabulary>,
}

/// Finds what people wrote about errors.
struct Errors {
    failures: Visitor,
    queries: Visitor,
}

impl fmt::Debug for Coder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Coder").finish_non_exhaustive()
    }
}

/// Why a message does not go on. No text holds anything of a payload.
#[derive(Debug, thiserror::Error)]
pub enum CoderError {
    /// It is no message.
    #[error(transparent)]
    Message(#[from] VisitError),
    /// The codec refuses.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Something in it may hold payloads that nobody would find.
    #[error(
        "{0} is not known to the codec proxy, which could not encode it: use a proxy as new as the SDK"
    )]
    Unknown(UnknownField),
    /// A failure of Nexus's own form that is none.
    #[error("a failure of Nexus's is not what its type says")]
    NexusFailure,
}

impl Coder {
    /// Encodes and decodes with `codec`.
    ///
    /// # Errors
    /// When the description of the API cannot be used.
    pub fn new(codec: Arc<dyn Codec>, settings: CoderSettings) -> Result<Self, DescriptorError> {
        let of = |name: &str| Visitor::of(api::DESCRIPTOR_SET, name);
        let errors = Errors { failures: of(FAILURE)?, queries: of(queries::RESULT)? };
        let vocabulary = Vocabulary::new(api::DESCRIPTOR_SET)?;
        Ok(Self {
            codec,
            payloads: Visitor::new(api::DESCRIPTOR_SET)?,
            nexus: of(nexus::FAILURE)?,
            errors: settings.encode_failures.then_some(errors),
            vocabulary: (!settings.dangerous_pass_unknown_fields).then_some(vocabulary),
        })
    }

    /// A request as the server gets it.
    pub(crate) async fn encode(
        &self,
        context: &Context,
        name: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, CoderError> {
        if let Some(vocabulary) = &self.vocabulary
            && let Some(field) = vocabulary.unknown_field(name, message)?
        {
            return Err(CoderError::Unknown(field));
        }
        let mut message = message.to_vec();
        if let Some(errors) = &self.errors {
            message = queries::encode(&errors.queries, name, message)?;
            message = errors.turn(name, message, encode_common_attributes)?;
        }
        message = self.encode_nexus(context, name, message).await?;
        self.encode_payloads(context, name, message).await
    }

    async fn encode_payloads(
        &self,
        context: &Context,
        name: &str,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, CoderError> {
        let mut found = self.payloads.find(name, &message)?;
        let payloads = std::mem::take(&mut found.payloads);
        if payloads.is_empty() {
            return Ok(message);
        }
        Ok(found.replace(self.codec.encode(context, payloads).await?)?)
    }

    /// Nexus's own failures hold payloads in texts, which the visitor does not look into.
    async fn encode_nexus(
        &self,
        context: &Context,
        name: &str,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, CoderError> {
        let places = self.nexus.places(name, &message)?;
        if places.contents.is_empty() {
            return Ok(message);
        }
        let mut encoded = Vec::with_capacity(places.contents.len());
        for content in &places.contents {
            let mut failure = nexus::opened(content)?;
            if self.errors.is_some() {
                failure = encode_common_attributes(&failure)?;
            }
            let failure = self.encode_payloads(context, FAILURE, failure).await?;
            encoded.push(nexus::closed(&failure)?);
        }
        Ok(places.replace(&encoded)?)
    }

    /// An answer as the client gets it.
    pub(crate) async fn decode(
        &self,
        context: &Context,
        name: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, CoderError> {
        let mut found = self.payloads.find(name, message)?;
        let payloads = std::mem::take(&mut found.payloads);
        let message = if payloads.is_empty() {
            message.to_vec()
        } else {
            found.replace(self.codec.decode(context, payloads).await?)?
        };
        match &self.errors {
            Some(errors) => errors.turn(name, message, decode_common_attributes),
            None => Ok(message),
        }
    }
}

impl Errors {
    /// The message with its failures turned into others.
    fn turn(
        &self,
        name: &str,
        message: Vec<u8>,
        turned: fn(&[u8]) -> Result<Vec<u8>, VisitError>,
    ) -> Result<Vec<u8>, CoderError> {
        let places = self.failures.places(name, &message)?;
        if places.contents.is_empty() {
            return Ok(message);
        }
        let failures = places.contents.iter().map(|failure| turned(failure));
        Ok(places.replace(&failures.collect::<Result<Vec<_>, _>>()?)?)
    }
}

#[cfg(test)]
mod tests {
    use api::{
        failure::v1::{Failure, NexusHandlerFailureInfo, failure::FailureInfo},
        nexus::v1::{Failure as NexusFailure, HandlerError},
        query::v1::WorkflowQueryResult,
        workflowservice::v1::{
            QueryWorkflowResponse, RespondNexusTaskFailedRequest, RespondQueryTaskCompletedRequest,
            RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskFailedRequest,
        },
    };
    use futures_util::FutureExt as _;
    use longtide_codec::{ENCODED_FAILURE, Encryption, KeyRing};
    use prost::Message;

    use super::*;

    const SECRET: &[u8] = b"canary";

    fn coder() -> Coder {
        let codec = Encryption::new(&KeyRing::new("a", [7; 32])).unwrap();
        let settings =
            CoderSettings { encode_failures: true, dangerous_pass_unknown_fields: false };
        Coder::new(Arc::new(codec), settings).unwrap()
    }

    fn encoded<M: Message + Default>(name: &str, message: &M) -> M {
        let bytes = message.encode_to_vec();
        assert!(bytes.windows(SECRET.len()).any(|window| window == SECRET));
        let context = Context::of_namespace("default");
        let bytes = coder().encode(&context, name, &bytes).now_or_never().unwrap().unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET), "{name} is readable");
        M::decode(bytes.as_slice()).unwrap()
    }

    fn decoded<M: Message + Default>(name: &str, message: &M) -> M {
        let context = Context::of_namespace("default");
        let bytes = message.encode_to_vec();
        let bytes = coder().decode(&context, name, &bytes).now_or_never().unwrap().unwrap();
        M::decode(bytes.as_slice()).unwrap()
    }

    const SERVICE: &str = "temporal.api.workflowservice.v1";

    fn failure() -> Failure {
        let cause = Failure {
            message: "canary of the cause".to_owned(),
            stack_trace: "canary of the trace".to_owned(),
            source: "RustSDK".to_owned(),
            ..Failure::default()
        };
        Failure {
            message: "canary".to_owned(),
            cause: Some(Box::new(cause)),
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(NexusHandlerFailureInfo {
                r#type: "INTERNAL".to_owned(),
                ..Default::default()
            })),
            ..Failure::default()
        }
    }

    #[test]
    fn failures_come_back_as_they_were() {
        let name = format!("{SERVICE}.RespondWorkflowTaskFailedRequest");
        let request =
            RespondWorkflowTaskFailedRequest { failure: Some(failure()), ..Default::default() };
        let sealed = encoded(&name, &request);
        let hidden = sealed.failure.as_ref().unwrap();
        assert_eq!(hidden.message, ENCODED_FAILURE);
        assert_eq!(hidden.failure_info, failure().failure_info);
        assert_eq!(hidden.cause.as_ref().unwrap().message, ENCODED_FAILURE);
        assert_eq!(decoded(&name, &sealed), request);
    }

    #[test]
    fn failed_queries_say_nothing() {
        let name = format!("{SERVICE}.RespondQueryTaskCompletedRequest");
        let request = RespondQueryTaskCompletedRequest {
            error_message: "canary".to_owned(),
            ..Default::default()
        };
        let sealed = encoded(&name, &request);
        assert_eq!(sealed.error_message, ENCODED_FAILURE);
        let told = decoded(&name, &sealed).failure.unwrap();
        assert_eq!(told.message, "canary");

        let name = format!("{SERVICE}.RespondWorkflowTaskCompletedRequest");
        let result = WorkflowQueryResult {
            error_message: "canary".to_owned(),
            failure: Some(failure()),
            ..Default::default()
        };
        let request = RespondWorkflowTaskCompletedRequest {
            query_results: [("q".to_owned(), result)].into(),
            ..Default::default()
        };
        let sealed = encoded(&name, &request);
        assert_eq!(sealed.query_results["q"].error_message, ENCODED_FAILURE);
        assert_eq!(decoded(&name, &sealed).query_results["q"].failure, Some(failure()));
    }

    #[test]
    fn nexus_s_own_failures_say_nothing() {
        let name = format!("{SERVICE}.RespondNexusTaskFailedRequest");
        let typed = NexusFailure {
            message: "canary".to_owned(),
            metadata: [("type".to_owned(), FAILURE.to_owned())].into(),
            details: r#"{"applicationFailureInfo":{"type":"Refused","details":{"payloads":[
                {"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"ImNhbmFyeSI="}]}}}"#
                .into(),
            ..Default::default()
        };
        let plain = NexusFailure { message: "canary".to_owned(), ..Default::default() };
        for failure in [typed, plain] {
            let error = HandlerError { failure: Some(failure), ..Default::default() };
            let request =
                RespondNexusTaskFailedRequest { error: Some(error), ..Default::default() };
            let sealed = encoded(&name, &request).error.unwrap().failure.unwrap();
            assert_eq!(sealed.message, ENCODED_FAILURE);
            let details = std::str::from_utf8(&sealed.details).unwrap();
            assert!(!details.contains("ImNhbmFyeSI"), "{details}");
            let failure = nexus::opened(&sealed.encode_to_vec()).unwrap();
            let failure = decoded(FAILURE, &Failure::decode(failure.as_slice()).unwrap());
            let failure = decode_common_attributes(&failure.encode_to_vec()).unwrap();
            assert_eq!(Failure::decode(failure.as_slice()).unwrap().message, "canary");
        }
    }

    #[test]
    fn a_field_of_a_later_version_does_not_pass() {
        let name = format!("{SERVICE}.QueryWorkflowResponse");
        let mut bytes = QueryWorkflowResponse::default().encode_to_vec();
        bytes.extend_from_slice(b"\xba\x3e\x04text");
        let refused = coder().encode(&Context::default(), &name, &bytes).now_or_never().unwrap();
        assert!(matches!(refused, Err(CoderError::Unknown(field)) if field.number == 999));
    }
}
