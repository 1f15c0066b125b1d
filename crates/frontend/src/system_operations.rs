//! What workflows ask of the server itself, through Nexus: requests of the API, read and checked as
//! those of clients are.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    command::v1::{Command, command::Attributes},
    common::v1::Payload,
    workflowservice::v1::SignalWithStartWorkflowExecutionRequest,
};
use engine::SYSTEM_ENDPOINT;
use environment::Clock;
use history::{Delivery, StartRequest, SystemRefusal};
use matching::Matching;
use namespace::Namespace;
use prost::Message as _;
use tonic::Code;

use crate::{
    error::{ApiError, ApiResult},
    rpc::start::{StartChecks, signal_with_start_request},
};

/// The API's own name.
const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

/// The only operation that there is, and what it is asked.
const SIGNAL_WITH_START: &str = "SignalWithStartWorkflowExecution";
const REQUEST: &str = "temporal.api.workflowservice.v1.SignalWithStartWorkflowExecutionRequest";

/// Reads what workflows ask.
#[derive(Debug)]
pub struct SystemOperations {
    matching: Arc<Matching<Delivery>>,
    clock: Arc<dyn Clock>,
    time_skips_max: Option<i32>,
}

impl SystemOperations {
    /// With what a frontend checks starts with.
    pub fn new(
        matching: Arc<Matching<Delivery>>,
        clock: Arc<dyn Clock>,
        time_skips_max: Option<i32>,
    ) -> Self {
        Self { matching, clock, time_skips_max }
    }
}

impl history::SystemOperations for SystemOperations {
    fn read(
        &self,
        namespace: &Namespace,
        service: &str,
        operation: &str,
        input: Option<&Payload>,
    ) -> Result<StartRequest, SystemRefusal> {
        let checks = StartChecks {
            matching: &self.matching,
            now: self.clock.now(),
            time_skips_max: self.time_skips_max,
        };
        read(&checks, namespace, service, operation, input).map_err(refusal)
    }
}

/// What is wrong with the requests to the server itself that commands carry, by the command's
/// place.
pub(crate) fn refusals(
    checks: &StartChecks<'_>,
    namespace: &Namespace,
    commands: &[Command],
) -> BTreeMap<usize, String> {
    let asked = commands.iter().enumerate().filter_map(|(place, command)| {
        let Some(Attributes::ScheduleNexusOperationCommandAttributes(command)) =
            &command.attributes
        else {
            return None;
        };
        (command.endpoint == SYSTEM_ENDPOINT).then_some((place, command))
    });
    let refused = asked.filter_map(|(place, command)| {
        let input = command.input.as_ref();
        let read = read(checks, namespace, &command.service, &command.operation, input);
        let refusal = refusal(read.err()?);
        refusal.is_known_at_once.then_some((place, refusal.text))
    });
    refused.collect()
}

fn read(
    checks: &StartChecks<'_>,
    namespace: &Namespace,
    service: &str,
    operation: &str,
    input: Option<&Payload>,
) -> ApiResult<StartRequest> {
    if service != SERVICE {
        return Err(ApiError::not_found(format!("service \"{service}\" not found")));
    }
    if operation != SIGNAL_WITH_START {
        return Err(ApiError::not_found(format!("operation \"{operation}\" not found")));
    }
    let request = decoded(input)?;
    if !request.namespace.is_empty() && request.namespace != namespace.name {
        return Err(ApiError::invalid(format!(
            "Namespace in request \"{}\" does not match namespace in context \"{}\"",
            request.namespace, namespace.name
        )));
    }
    if !request.request_id.is_empty() {
        return Err(ApiError::invalid("RequestID should not be set on the request"));
    }
    if !request.links.is_empty() {
        return Err(ApiError::invalid("Links should not be set on the request"));
    }
    signal_with_start_request(checks, namespace, request)
}

/// The request in a payload, in either of the encodings that SDKs have for messages.
fn decoded(input: Option<&Payload>) -> ApiResult<SignalWithStartWorkflowExecutionRequest> {
    let failed =
        |text: String| ApiError::invalid(format!("failed to decode input payload: {text}"));
    let Some(input) = input else { return Err(ApiError::invalid("Request is empty")) };
    let encoding = input.metadata.get("encoding").map(AsRef::as_ref);
    let request = match encoding {
        Some(b"binary/protobuf") => {
            SignalWithStartWorkflowExecutionRequest::decode(input.data.clone())
        }
        Some(b"json/protobuf") => {
            let message = transcoding::message_of_json(REQUEST, &input.data);
            let message = message.map_err(|error| failed(error.to_string()))?;
            SignalWithStartWorkflowExecutionRequest::decode(message.as_slice())
        }
        Some(other) => {
            let encoding = String::from_utf8_lossy(other);
            return Err(failed(format!("no message has the encoding `{encoding}`")));
        }
        None => return Err(failed("it has no encoding".to_owned())),
    };
    request.map_err(|error| failed(error.to_string()))
}

fn refusal(error: ApiError) -> SystemRefusal {
    let kind = match error.code() {
        Code::InvalidArgument => "InvalidArgument",
        Code::NotFound => "NotFound",
        Code::FailedPrecondition => "FailedPrecondition",
        _ => "Internal",
    };
    let is_known_at_once = matches!(error.code(), Code::InvalidArgument | Code::NotFound);
    SystemRefusal { kind, text: error.message().to_owned(), is_known_at_once }
}

#[cfg(test)]
mod tests {
    use api::common::v1::WorkflowType;

    use super::*;

    fn payload(encoding: &str, data: Vec<u8>) -> Payload {
        let metadata = [("encoding".to_owned(), encoding.to_owned().into())].into();
        Payload { metadata, data: data.into(), ..Payload::default() }
    }

    #[test]
    fn a_request_may_be_binary_or_json() {
        let request = SignalWithStartWorkflowExecutionRequest {
            workflow_id: "id".to_owned(),
            workflow_type: Some(WorkflowType { name: "type".to_owned() }),
            ..Default::default()
        };
        let binary = payload("binary/protobuf", request.encode_to_vec());
        assert_eq!(decoded(Some(&binary)), Ok(request.clone()));
        let json = br#"{"workflowId": "id", "workflowType": {"name": "type"}}"#.to_vec();
        assert_eq!(decoded(Some(&payload("json/protobuf", json))), Ok(request));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(decoded(None).is_err());
        assert!(decoded(Some(&Payload::default())).is_err());
        assert!(decoded(Some(&payload("json/plain", b"{}".to_vec()))).is_err());
        assert!(decoded(Some(&payload("binary/protobuf", vec![0xff]))).is_err());
        assert!(decoded(Some(&payload("json/protobuf", b"[]".to_vec()))).is_err());
    }
}
