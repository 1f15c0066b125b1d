//! Failures in Nexus's own form: JSON with a text, a type, details and a cause.
//!
//! Temporal's failures travel inside of it: the type is the name of the message, the details are
//! the message itself.

use std::collections::BTreeMap;

use api::{
    common::v1::{Payload, Payloads},
    enums::v1::NexusHandlerErrorRetryBehavior,
    failure::v1::{
        ApplicationFailureInfo, CanceledFailureInfo, Failure as TemporalFailure,
        NexusHandlerFailureInfo, failure::FailureInfo,
    },
    nexus::v1::Failure as NexusFailure,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::failure_json;

pub(crate) const TYPE: &str = "type";
pub(crate) const HANDLER_ERROR: &str = "nexus.HandlerError";
pub(crate) const OPERATION_ERROR: &str = "nexus.OperationError";
const TEMPORAL_FAILURE: &str = "temporal.api.failure.v1.Failure";

/// Deepest chain of causes that is read; what is below is left out.
const DEPTH_MAX: usize = 64;

/// A failure as Nexus's HTTP API carries it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failure {
    /// What happened.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stack_trace: String,
    /// What the details are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// More, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<RawValue>>,
    /// Why it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Self>>,
}

/// What a failure does not say besides its text, for details of its own.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: &'a Option<Box<RawValue>>,
}

impl Failure {
    /// A failure with a type and details.
    #[cfg(test)]
    pub(crate) fn typed(kind: &str, message: &str, details: &Value) -> Self {
        Self {
            message: message.to_owned(),
            metadata: BTreeMap::from([(TYPE.to_owned(), kind.to_owned())]),
            details: raw(details),
            ..Self::default()
        }
    }

    pub(crate) fn kind(&self) -> &str {
        self.metadata.get(TYPE).map_or("", String::as_str)
    }

    /// The details as a JSON object; null when there are none.
    pub(crate) fn details(&self) -> Value {
        self.details
            .as_ref()
            .and_then(|details| serde_json::from_str(details.get()).ok())
            .unwrap_or(Value::Null)
    }

    /// One of Temporal's failures.
    pub fn of(failure: &TemporalFailure) -> Self {
        let cause = failure.cause.as_deref().map(|cause| Box::new(Self::of(cause)));
        let (kind, details) = match &failure.failure_info {
            Some(FailureInfo::NexusHandlerFailureInfo(info)) => {
                (HANDLER_ERROR, raw(&handler_details(info, failure.encoded_attributes.as_ref())))
            }
            _ => (TEMPORAL_FAILURE, failure_json::write(&bare(failure))),
        };
        Self {
            message: failure.message.clone(),
            stack_trace: failure.stack_trace.clone(),
            metadata: BTreeMap::from([(TYPE.to_owned(), kind.to_owned())]),
            details,
            cause,
        }
    }

    /// A failure as older workers send it in a message.
    pub fn of_message(failure: &NexusFailure) -> Self {
        let details = std::str::from_utf8(&failure.details).ok().filter(|text| !text.is_empty());
        Self {
            message: failure.message.clone(),
            stack_trace: failure.stack_trace.clone(),
            metadata: failure.metadata.clone(),
            details: details.and_then(|text| RawValue::from_string(text.to_owned()).ok()),
            cause: failure.cause.as_deref().map(|cause| Box::new(Self::of_message(cause))),
        }
    }

    /// The failure as Temporal's; none when its details are not what its type says.
    pub fn into_temporal(self) -> Option<TemporalFailure> {
        self.into_temporal_within(DEPTH_MAX)
    }

    fn into_temporal_within(mut self, depth: usize) -> Option<TemporalFailure> {
        let below = depth.checked_sub(1)?;
        let cause = self.cause.take();
        let mut failure = match self.kind() {
            TEMPORAL_FAILURE => failure_json::read(self.details.as_ref()?.get())?,
            HANDLER_ERROR => self.handler_failure()?,
            OPERATION_ERROR => TemporalFailure {
                failure_info: Some(operation_failure_info(&self.details())),
                ..TemporalFailure::default()
            },
            "" if self.metadata.is_empty() && self.details.is_none() => TemporalFailure::default(),
            _ => TemporalFailure {
                failure_info: Some(self.unknown_info()),
                ..TemporalFailure::default()
            },
        };
        failure.message = self.message;
        failure.stack_trace = self.stack_trace;
        if let Some(cause) = cause {
            failure.cause = Some(Box::new(cause.into_temporal_within(below)?));
        }
        Some(failure)
    }

    fn handler_failure(&self) -> Option<TemporalFailure> {
        let details = self.details();
        let retry_behavior = match details.get("retryableOverride").and_then(Value::as_bool) {
            None => NexusHandlerErrorRetryBehavior::Unspecified,
            Some(true) => NexusHandlerErrorRetryBehavior::Retryable,
            Some(false) => NexusHandlerErrorRetryBehavior::NonRetryable,
        };
        let text = |name: &str| details.get(name).and_then(Value::as_str).unwrap_or_default();
        let encoded_attributes = match text("encodedAttributes") {
            "" => None,
            encoded => {
                let json = URL_SAFE_NO_PAD.decode(encoded).ok()?;
                Some(failure_json::read_payload(std::str::from_utf8(&json).ok()?)?)
            }
        };
        let info = NexusHandlerFailureInfo {
            r#type: text("type").to_owned(),
            retry_behavior: retry_behavior as i32,
        };
        Some(TemporalFailure {
            encoded_attributes,
            failure_info: Some(FailureInfo::NexusHandlerFailureInfo(info)),
            ..TemporalFailure::default()
        })
    }

    /// What Temporal has no words for stays as it came.
    fn unknown_info(&self) -> FailureInfo {
        let rest = Rest { metadata: &self.metadata, details: &self.details };
        let details = serde_json::to_vec(&rest).ok().map(|data| Payloads {
            payloads: vec![Payload {
                metadata: [("encoding".to_owned(), "json/plain".into())].into(),
                data: data.into(),
                ..Payload::default()
            }],
        });
        FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
            r#type: "NexusFailure".to_owned(),
            details,
            ..Default::default()
        })
    }
}

pub(crate) fn raw(value: &Value) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// The failure without what Nexus's form has a place for.
fn bare(failure: &TemporalFailure) -> TemporalFailure {
    TemporalFailure { message: String::new(), stack_trace: String::new(), ..failure.clone() }
}

fn handler_details(info: &NexusHandlerFailureInfo, attributes: Option<&Payload>) -> Value {
    let mut details = serde_json::Map::new();
    if !info.r#type.is_empty() {
        details.insert("type".to_owned(), info.r#type.clone().into());
    }
    let retryable = match info.retry_behavior() {
        NexusHandlerErrorRetryBehavior::Unspecified => None,
        NexusHandlerErrorRetryBehavior::Retryable => Some(true),
        NexusHandlerErrorRetryBehavior::NonRetryable => Some(false),
    };
    if let Some(retryable) = retryable {
        details.insert("retryableOverride".to_owned(), retryable.into());
    }
    if let Some(json) = attributes.and_then(failure_json::write_payload) {
        details.insert("encodedAttributes".to_owned(), URL_SAFE_NO_PAD.encode(json.get()).into());
    }
    Value::Object(details)
}

fn operation_failure_info(details: &Value) -> FailureInfo {
    if *details == json!({ "state": "canceled" }) {
        return FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default());
    }
    FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
        r#type: "OperationError".to_owned(),
        non_retryable: true,
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use api::failure::v1::TimeoutFailureInfo;

    use super::*;

    fn through_json(failure: &Failure) -> Failure {
        serde_json::from_str(&serde_json::to_string(failure).unwrap()).unwrap()
    }

    #[test]
    fn temporal_s_failures_survive_the_way_through_nexus_s_form() {
        let cause = TemporalFailure {
            message: "why".to_owned(),
            failure_info: Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo {
                timeout_type: 2,
                ..Default::default()
            })),
            ..TemporalFailure::default()
        };
        let infos = [
            FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
                r#type: "Refused".to_owned(),
                non_retryable: true,
                details: Some(Payloads {
                    payloads: vec![Payload {
                        data: b"\0\xff".as_slice().into(),
                        ..Default::default()
                    }],
                }),
                ..Default::default()
            }),
            FailureInfo::NexusHandlerFailureInfo(NexusHandlerFailureInfo {
                r#type: "NOT_FOUND".to_owned(),
                retry_behavior: NexusHandlerErrorRetryBehavior::Retryable as i32,
            }),
        ];
        for info in infos {
            let failure = TemporalFailure {
                message: "no".to_owned(),
                source: "PythonSDK".to_owned(),
                stack_trace: "here".to_owned(),
                cause: Some(Box::new(cause.clone())),
                failure_info: Some(info.clone()),
                ..TemporalFailure::default()
            };
            let is_handler_error = matches!(info, FailureInfo::NexusHandlerFailureInfo(_));
            let read = through_json(&Failure::of(&failure)).into_temporal().unwrap();
            // Nexus's own handler errors have no place for it.
            let source = if is_handler_error { String::new() } else { failure.source.clone() };
            assert_eq!(read, TemporalFailure { source, ..failure });
        }
    }

    #[test]
    fn what_temporal_has_no_words_for_stays_with_it_as_details() {
        let text = r#"{"message":"no","metadata":{"type":"acme.Error"},"details":{"a":1}}"#;
        let failure: Failure = serde_json::from_str(text).unwrap();
        let read = failure.into_temporal().unwrap();
        assert_eq!(read.message, "no");
        let Some(FailureInfo::ApplicationFailureInfo(info)) = read.failure_info else {
            panic!("not an application's failure");
        };
        assert_eq!(info.r#type, "NexusFailure");
        assert_eq!(
            info.details.unwrap().payloads[0].data,
            r#"{"metadata":{"type":"acme.Error"},"details":{"a":1}}"#
        );
    }

    #[test]
    fn a_chain_without_end_is_refused() {
        let mut failure = Failure::default();
        for _ in 0..=DEPTH_MAX {
            failure = Failure { cause: Some(Box::new(failure)), ..Failure::default() };
        }
        assert!(failure.into_temporal().is_none());
    }
}
