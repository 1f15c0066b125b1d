//! Finds the payloads of any message of the API, and puts others in their places.
//!
//! It walks the encoded message by the API's own description, so that nothing has to be written for
//! a new message, and fields that the description does not know stay as they are; [`Vocabulary`]
//! says whether there are any. Search attributes are left out: the server has to read them.

mod attributes;
mod places;
mod schema;
mod vocabulary;

use bytes::Bytes;

use crate::{Payload, wire};
use schema::{FieldKind, MessageId, Schema};

pub use attributes::{decode_common_attributes, encode_common_attributes};
pub use places::Places;
pub use schema::DescriptorError;
pub use vocabulary::{UnknownField, Vocabulary};

/// How deep messages may be nested; what the decoders of messages allow.
const DEPTH_MAX: usize = 100;

/// See the module. It looks for payloads, or for messages of another kind.
#[derive(Debug)]
pub struct Visitor {
    schema: Schema,
}

/// The payloads of a message, in the order in which they stand.
#[derive(Debug)]
pub struct Found<'a> {
    places: Places<'a>,
    /// What was found. Replace each by what a codec made of it.
    pub payloads: Vec<Payload>,
}

/// A message cannot be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VisitError {
    /// It is no encoded message.
    #[error("the message is malformed")]
    Malformed,
    /// See the limit.
    #[error("the message is nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// More or fewer payloads came back than went out.
    #[error("there are {given} payloads for {places} places")]
    WrongCount {
        /// How many.
        given: usize,
        /// How many the message has.
        places: usize,
    },
}

impl Visitor {
    /// A visitor of the payloads in the messages that an encoded `FileDescriptorSet` describes.
    ///
    /// # Errors
    /// When it is none, or misses a message that it uses.
    pub fn new(descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        Self::of(descriptor_set, schema::PAYLOAD)
    }

    /// A visitor of the messages of another name, such as `temporal.api.failure.v1.Failure`. It does
    /// not look into those that it finds.
    ///
    /// # Errors
    /// When the set is none, or misses a message that it uses.
    pub fn of(descriptor_set: &[u8], sought: &str) -> Result<Self, DescriptorError> {
        Ok(Self { schema: Schema::read(descriptor_set, sought)? })
    }

    /// True when messages of this name (`temporal.api.workflowservice.v1.…`) can hold what is sought.
    pub fn may_hold_payloads(&self, message_name: &str) -> bool {
        self.schema.find(message_name).is_some()
    }

    /// Finds the payloads of an encoded message. A message whose name is not known has none.
    ///
    /// # Errors
    /// When it is malformed, or nested too deep.
    pub fn find<'a>(
        &'a self,
        message_name: &str,
        message: &'a [u8],
    ) -> Result<Found<'a>, VisitError> {
        let places = self.places(message_name, message)?;
        let read = |content: &&[u8]| Payload::decode(Bytes::copy_from_slice(content));
        let payloads = places.contents.iter().map(read).collect::<Option<_>>();
        let payloads = payloads.ok_or(VisitError::Malformed)?;
        Ok(Found { places, payloads })
    }

    /// Finds what is sought in an encoded message, as it stands there.
    ///
    /// # Errors
    /// When the message is malformed, or nested too deep.
    pub fn places<'a>(
        &'a self,
        message_name: &str,
        message: &'a [u8],
    ) -> Result<Places<'a>, VisitError> {
        Places::find(&self.schema, message_name, message)
    }
}

impl Found<'_> {
    /// The message with other payloads in the places of those found.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn replace(&self, payloads: Vec<Payload>) -> Result<Vec<u8>, VisitError> {
        let contents: Vec<_> = payloads.iter().map(Payload::encode_to_vec).collect();
        self.places.replace(&contents)
    }
}
