//! Messages of queries that failed: SDKs send them beside the failure, and servers give them to who
//! asked.

use api::{
    failure::v1::Failure, query::v1::WorkflowQueryResult,
    workflowservice::v1::RespondQueryTaskCompletedRequest,
};
use longtide_codec::{ENCODED_FAILURE, VisitError, Visitor};
use prost::Message;

use crate::CoderError;

/// The result of a query in the answer to a workflow task.
pub(crate) const RESULT: &str = "temporal.api.query.v1.WorkflowQueryResult";
/// The answer to a query alone.
const ANSWER: &str = "temporal.api.workflowservice.v1.RespondQueryTaskCompletedRequest";

/// The message with what failed queries say in their failures only, where it is encoded next.
pub(crate) fn encode(
    results: &Visitor,
    name: &str,
    message: Vec<u8>,
) -> Result<Vec<u8>, CoderError> {
    if name == ANSWER {
        return hidden::<RespondQueryTaskCompletedRequest>(&message);
    }
    let places = results.places(name, &message)?;
    if places.contents.is_empty() {
        return Ok(message);
    }
    let contents = places.contents.iter();
    let hidden = contents.map(|content| hidden::<WorkflowQueryResult>(content));
    Ok(places.replace(&hidden.collect::<Result<Vec<_>, _>>()?)?)
}

/// An answer to a query that may say why there is none.
trait Answer: Message + Default {
    fn message(&mut self) -> &mut String;
    fn failure(&mut self) -> &mut Option<Failure>;
}

fn hidden<A: Answer>(message: &[u8]) -> Result<Vec<u8>, CoderError> {
    let mut answer = A::decode(message).map_err(|_| VisitError::Malformed)?;
    if answer.message().is_empty() {
        return Ok(message.to_vec());
    }
    let said = std::mem::replace(answer.message(), ENCODED_FAILURE.to_owned());
    if answer.failure().is_none() {
        *answer.failure() = Some(Failure { message: said, ..Failure::default() });
    }
    Ok(answer.encode_to_vec())
}

impl Answer for WorkflowQueryResult {
    fn message(&mut self) -> &mut String {
        &mut self.error_message
    }

    fn failure(&mut self) -> &mut Option<Failure> {
        &mut self.failure
    }
}

impl Answer for RespondQueryTaskCompletedRequest {
    fn message(&mut self) -> &mut String {
        &mut self.error_message
    }

    fn failure(&mut self) -> &mut Option<Failure> {
        &mut self.failure
    }
}
