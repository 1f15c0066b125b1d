//! Where in a message something stands, and the message with other things in these places.

use prost::encoding::encode_varint;

use super::{DEPTH_MAX, FieldKind, MessageId, Schema, VisitError, wire};

/// What was found in a message, in the order in which it stands there.
#[derive(Debug)]
pub struct Places<'a> {
    schema: &'a Schema,
    root: Option<MessageId>,
    message: &'a [u8],
    /// What was found, encoded.
    pub contents: Vec<&'a [u8]>,
}

impl<'a> Places<'a> {
    pub(super) fn find(
        schema: &'a Schema,
        message_name: &str,
        message: &'a [u8],
    ) -> Result<Self, VisitError> {
        let root = schema.find(message_name);
        let mut contents = Vec::new();
        if let Some(root) = root {
            collect(schema, root, message, DEPTH_MAX, &mut contents)?;
        }
        Ok(Self { schema, root, message, contents })
    }

    /// The message with other things in these places.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn replace(&self, contents: &[Vec<u8>]) -> Result<Vec<u8>, VisitError> {
        let (given, places) = (contents.len(), self.contents.len());
        if given != places {
            return Err(VisitError::WrongCount { given, places });
        }
        match self.root {
            Some(root) if places > 0 => {
                rewrite(self.schema, root, self.message, &mut contents.iter())
            }
            _ => Ok(self.message.to_vec()),
        }
    }
}

fn collect<'a>(
    schema: &Schema,
    id: MessageId,
    message: &'a [u8],
    depth: usize,
    into: &mut Vec<&'a [u8]>,
) -> Result<(), VisitError> {
    let depth = depth.checked_sub(1).ok_or(VisitError::TooDeep)?;
    let fields = schema.fields(id);
    let any = if fields.is_any() { schema.content_of(message)? } else { None };
    for field in wire::fields(message) {
        let field = field?;
        let Some(content) = field.content else { continue };
        match fields.kind(field.number, any) {
            None => {}
            Some(FieldKind::Sought) => into.push(content),
            Some(FieldKind::Message(inner)) => collect(schema, inner, content, depth, into)?,
        }
    }
    Ok(())
}

fn rewrite<'c>(
    schema: &Schema,
    id: MessageId,
    message: &[u8],
    contents: &mut impl Iterator<Item = &'c Vec<u8>>,
) -> Result<Vec<u8>, VisitError> {
    let fields = schema.fields(id);
    let any = if fields.is_any() { schema.content_of(message)? } else { None };
    let mut output = Vec::with_capacity(message.len());
    for field in wire::fields(message) {
        let field = field?;
        let kind = fields.kind(field.number, any);
        let (Some(content), Some(kind)) = (field.content, kind) else {
            output.extend_from_slice(field.record);
            continue;
        };
        let written;
        let content = match kind {
            FieldKind::Sought => contents.next().ok_or(VisitError::Malformed)?,
            FieldKind::Message(inner) => {
                written = rewrite(schema, inner, content, contents)?;
                &written
            }
        };
        output.extend_from_slice(field.key);
        encode_varint(content.len() as u64, &mut output);
        output.extend_from_slice(content);
    }
    Ok(output)
}
