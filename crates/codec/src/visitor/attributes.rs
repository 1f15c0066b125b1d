//! Messages and stack traces of encoded failures, moved into a payload and back.

use bytes::Bytes;

use super::{DEPTH_MAX, VisitError, wire, wire::put};
use crate::{CommonAttributes, ENCODED_FAILURE, Payload};

/// The fields of `temporal.api.failure.v1.Failure` that matter here.
const MESSAGE: u32 = 1;
const STACK_TRACE: u32 = 3;
const CAUSE: u32 = 4;
const ENCODED_ATTRIBUTES: u32 = 20;

/// An encoded failure with what it and its causes say in payloads, which a codec has still to encode.
/// Whatever else it has stays, fields of later versions included.
///
/// # Errors
/// When it is malformed, or its causes are too many.
pub fn encode_common_attributes(failure: &[u8]) -> Result<Vec<u8>, VisitError> {
    encode(failure, DEPTH_MAX)
}

/// The inverse of [`encode_common_attributes`], after a codec has decoded the payloads. Attributes of
/// another shape stay as they are.
///
/// # Errors
/// When it is malformed, or its causes are too many.
pub fn decode_common_attributes(failure: &[u8]) -> Result<Vec<u8>, VisitError> {
    decode(failure, DEPTH_MAX)
}

/// A failure taken apart.
#[derive(Default)]
struct Parts<'a> {
    attributes: CommonAttributes,
    encoded: Option<&'a [u8]>,
    cause: Option<Vec<u8>>,
    /// The other fields as they stood.
    rest: Vec<u8>,
}

fn encode(failure: &[u8], depth: usize) -> Result<Vec<u8>, VisitError> {
    let mut parts = Parts::of(failure, depth, encode)?;
    let is_done = parts.encoded.is_some() && parts.attributes.message == ENCODED_FAILURE;
    let says_nothing = parts.attributes == CommonAttributes::default();
    if is_done && parts.attributes.stack_trace.is_empty() || says_nothing {
        return Ok(parts.written());
    }
    let payload = parts.attributes.to_payload().encode_to_vec();
    parts.encoded = Some(&payload);
    parts.attributes =
        CommonAttributes { message: ENCODED_FAILURE.to_owned(), stack_trace: String::new() };
    Ok(parts.written())
}

fn decode(failure: &[u8], depth: usize) -> Result<Vec<u8>, VisitError> {
    let mut parts = Parts::of(failure, depth, decode)?;
    if let Some(encoded) = parts.encoded {
        let payload = Payload::decode(Bytes::copy_from_slice(encoded));
        let payload = payload.ok_or(VisitError::Malformed)?;
        if let Some(attributes) = CommonAttributes::of_payload(&payload) {
            parts.attributes = attributes;
            parts.encoded = None;
        }
    }
    Ok(parts.written())
}

impl<'a> Parts<'a> {
    fn of(
        failure: &'a [u8],
        depth: usize,
        of_cause: fn(&[u8], usize) -> Result<Vec<u8>, VisitError>,
    ) -> Result<Self, VisitError> {
        let depth = depth.checked_sub(1).ok_or(VisitError::TooDeep)?;
        let mut parts = Self::default();
        for field in wire::fields(failure) {
            let field = field?;
            match (field.number, field.content) {
                (MESSAGE, Some(content)) => parts.attributes.message = text(content)?,
                (STACK_TRACE, Some(content)) => parts.attributes.stack_trace = text(content)?,
                (ENCODED_ATTRIBUTES, Some(content)) => parts.encoded = Some(content),
                (CAUSE, Some(content)) => parts.cause = Some(of_cause(content, depth)?),
                _ => parts.rest.extend_from_slice(field.record),
            }
        }
        Ok(parts)
    }

    fn written(self) -> Vec<u8> {
        let Self { attributes, encoded, cause, rest } = self;
        let mut output = Vec::with_capacity(rest.len() + 256);
        if !attributes.message.is_empty() {
            put(MESSAGE, attributes.message.as_bytes(), &mut output);
        }
        if !attributes.stack_trace.is_empty() {
            put(STACK_TRACE, attributes.stack_trace.as_bytes(), &mut output);
        }
        if let Some(cause) = cause {
            put(CAUSE, &cause, &mut output);
        }
        output.extend_from_slice(&rest);
        if let Some(encoded) = encoded {
            put(ENCODED_ATTRIBUTES, encoded, &mut output);
        }
        output
    }
}

fn text(content: &[u8]) -> Result<String, VisitError> {
    String::from_utf8(content.to_vec()).map_err(|_| VisitError::Malformed)
}
