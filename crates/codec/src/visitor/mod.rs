//! Finds the payloads of any message of the API, and puts others in their places.
//!
//! It walks the encoded message by the API's own description, so that nothing has to be written for
//! a new message, and fields that the description does not know stay as they are. Search attributes
//! are left out: the server has to read them.

mod schema;
mod wire;

use prost::{Message, encoding::encode_varint};

use crate::Payload;
use schema::{FieldKind, MessageId, Schema};

pub use schema::DescriptorError;

/// How deep messages may be nested; what the decoders of messages allow.
const DEPTH_MAX: usize = 100;

/// See the module.
#[derive(Debug)]
pub struct Visitor {
    schema: Schema,
}

/// The payloads of a message, in the order in which they stand.
#[derive(Debug)]
pub struct Found<'a> {
    visitor: &'a Visitor,
    root: Option<MessageId>,
    message: &'a [u8],
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
    /// A visitor of the messages that an encoded `FileDescriptorSet` describes.
    ///
    /// # Errors
    /// When it is none, or misses a message that it uses.
    pub fn new(descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        Ok(Self { schema: Schema::read(descriptor_set)? })
    }

    /// True when messages of this name (`temporal.api.workflowservice.v1.…`) can hold payloads.
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
        let root = self.schema.find(message_name);
        let mut payloads = Vec::new();
        if let Some(root) = root {
            self.collect(root, message, DEPTH_MAX, &mut payloads)?;
        }
        Ok(Found { visitor: self, root, message, payloads })
    }

    fn collect(
        &self,
        id: MessageId,
        message: &[u8],
        depth: usize,
        into: &mut Vec<Payload>,
    ) -> Result<(), VisitError> {
        let depth = depth.checked_sub(1).ok_or(VisitError::TooDeep)?;
        let fields = self.schema.fields(id);
        let any = fields.is_any().then(|| self.content_of(message)).transpose()?;
        for field in wire::fields(message) {
            let field = field?;
            let Some(content) = field.content else { continue };
            match fields.kind(field.number, any.flatten()) {
                None => {}
                Some(FieldKind::Payload) => {
                    into.push(Payload::decode(content).map_err(|_| VisitError::Malformed)?);
                }
                Some(FieldKind::Message(inner)) => self.collect(inner, content, depth, into)?,
            }
        }
        Ok(())
    }

    fn rewrite(
        &self,
        id: MessageId,
        message: &[u8],
        payloads: &mut impl Iterator<Item = Payload>,
    ) -> Result<Vec<u8>, VisitError> {
        let fields = self.schema.fields(id);
        let any = fields.is_any().then(|| self.content_of(message)).transpose()?;
        let mut output = Vec::with_capacity(message.len());
        for field in wire::fields(message) {
            let field = field?;
            let kind = fields.kind(field.number, any.flatten());
            let (Some(content), Some(kind)) = (field.content, kind) else {
                output.extend_from_slice(field.record);
                continue;
            };
            let content = match kind {
                FieldKind::Payload => payloads.next().ok_or(VisitError::Malformed)?.encode_to_vec(),
                FieldKind::Message(inner) => self.rewrite(inner, content, payloads)?,
            };
            output.extend_from_slice(field.key);
            encode_varint(content.len() as u64, &mut output);
            output.extend_from_slice(&content);
        }
        Ok(output)
    }

    /// What an `Any` holds, if that can hold payloads.
    fn content_of(&self, any: &[u8]) -> Result<Option<MessageId>, VisitError> {
        const TYPE_URL: u32 = 1;
        for field in wire::fields(any) {
            let field = field?;
            if let (TYPE_URL, Some(url)) = (field.number, field.content) {
                let url = std::str::from_utf8(url).map_err(|_| VisitError::Malformed)?;
                let name = url.rsplit_once('/').map_or(url, |(_, name)| name);
                return Ok(self.schema.find(name));
            }
        }
        Ok(None)
    }
}

impl Found<'_> {
    /// The message with other payloads in the places of those found.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn replace(&self, payloads: Vec<Payload>) -> Result<Vec<u8>, VisitError> {
        let (given, places) = (payloads.len(), self.payloads.len());
        if given != places {
            return Err(VisitError::WrongCount { given, places });
        }
        match self.root {
            Some(root) if places > 0 => {
                self.visitor.rewrite(root, self.message, &mut payloads.into_iter())
            }
            _ => Ok(self.message.to_vec()),
        }
    }
}
