//! Whether a message says something that the API's description does not know.
//!
//! What a later version of the API added may hold payloads, which nobody would find. Who must not
//! let them pass asks here first.

use std::{collections::BTreeMap, fmt};

use super::{DEPTH_MAX, DescriptorError, VisitError, schema, wire};

/// All fields of all messages of an API.
#[derive(Debug)]
pub struct Vocabulary {
    described: BTreeMap<String, BTreeMap<u32, Option<String>>>,
}

/// A field with content that the description does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// The message that it stands in.
    pub message: String,
    /// Its number.
    pub number: u32,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "field {} of {}", self.number, self.message)
    }
}

impl Vocabulary {
    /// The words of the messages that an encoded `FileDescriptorSet` describes.
    ///
    /// # Errors
    /// When it is none, or misses a message that it uses.
    pub fn new(descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        Ok(Self { described: schema::described(descriptor_set)? })
    }

    /// The first unknown field of an encoded message that has room for a payload; numbers have none.
    ///
    /// # Errors
    /// When the message is malformed, or nested too deep.
    pub fn unknown_field(
        &self,
        message_name: &str,
        message: &[u8],
    ) -> Result<Option<UnknownField>, VisitError> {
        self.search(message_name, message, DEPTH_MAX)
    }

    fn search(
        &self,
        name: &str,
        message: &[u8],
        depth: usize,
    ) -> Result<Option<UnknownField>, VisitError> {
        let depth = depth.checked_sub(1).ok_or(VisitError::TooDeep)?;
        let unknown = |number| UnknownField { message: name.to_owned(), number };
        let known = self.described.get(name);
        for field in wire::fields(message) {
            let field = field?;
            let Some(content) = field.content else { continue };
            let kind = known.and_then(|known| known.get(&field.number));
            let inner = match kind {
                None => return Ok(Some(unknown(field.number))),
                Some(_) if name == schema::ANY && field.number == wire::ANY_VALUE => {
                    wire::name_in_any(message)?
                }
                Some(of) => of.as_deref(),
            };
            if let Some(inner) = inner
                && let Some(found) = self.search(inner, content, depth)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
