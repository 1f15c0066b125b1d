//! Which fields of which messages lead to what is sought.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

use super::{VisitError, wire};

pub(super) const PAYLOAD: &str = "temporal.api.common.v1.Payload";
pub(super) const ANY: &str = "google.protobuf.Any";

/// Read by the server, and therefore never encoded.
const LEFT_OUT: &[&str] = &["temporal.api.common.v1.SearchAttributes"];

/// The description of an API cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// It is no description.
    #[error("the descriptor set cannot be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
    /// A field is of a message that is not described.
    #[error("the message {0} is used, and not described")]
    Missing(String),
}

/// A message that can hold what is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageId(usize);

/// What a field that leads there holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Sought,
    Message(MessageId),
}

/// The fields of a message that lead there.
#[derive(Debug, Default)]
pub(super) enum Fields {
    Known(BTreeMap<u32, FieldKind>),
    /// An `Any`: its own text says what it holds.
    #[default]
    Any,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Schema {
    sought: String,
    names: BTreeMap<String, MessageId>,
    messages: Vec<Fields>,
}

impl Fields {
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// What a field holds; `any` is what the message holds when it is an `Any`.
    pub(super) fn kind(&self, number: u32, any: Option<FieldKind>) -> Option<FieldKind> {
        match self {
            Self::Known(fields) => fields.get(&number).copied(),
            Self::Any if number == wire::ANY_VALUE => any,
            Self::Any => None,
        }
    }
}

impl Schema {
    pub(super) fn read(descriptor_set: &[u8], sought: &str) -> Result<Self, DescriptorError> {
        let described = described(descriptor_set)?;
        Ok(Self::of(sought, &leading(sought, &described), &described))
    }

    fn of(sought: &str, leading: &BTreeSet<String>, described: &Described) -> Self {
        let numbered = leading.iter().enumerate();
        let names: BTreeMap<_, _> =
            numbered.map(|(index, name)| (name.clone(), MessageId(index))).collect();
        let kind = |name: &String| match name {
            name if name == sought => Some(FieldKind::Sought),
            name => names.get(name).copied().map(FieldKind::Message),
        };
        let fields_of = |name: &String| {
            if name == ANY {
                return Fields::Any;
            }
            let fields = described.get(name).into_iter().flatten();
            let leads = |(number, of): (&u32, &Option<String>)| {
                Some((*number, of.as_ref().and_then(&kind)?))
            };
            Fields::Known(fields.filter_map(leads).collect())
        };
        let messages = leading.iter().map(fields_of).collect();
        Self { sought: sought.to_owned(), names, messages }
    }

    pub(super) fn find(&self, name: &str) -> Option<MessageId> {
        self.names.get(name).copied()
    }

    pub(super) fn fields(&self, id: MessageId) -> &Fields {
        const NONE: &Fields = &Fields::Known(BTreeMap::new());
        self.messages.get(id.0).unwrap_or(NONE)
    }

    /// What an `Any` holds, if that leads to what is sought or is it.
    pub(super) fn content_of(&self, any: &[u8]) -> Result<Option<FieldKind>, VisitError> {
        let Some(name) = wire::name_in_any(any)? else { return Ok(None) };
        if name == self.sought {
            return Ok(Some(FieldKind::Sought));
        }
        Ok(self.find(name).map(FieldKind::Message))
    }
}

/// The fields of each message: their numbers, and of which message they are if of one.
pub(super) type Described = BTreeMap<String, BTreeMap<u32, Option<String>>>;

/// Reads a description, which must be complete.
pub(super) fn described(descriptor_set: &[u8]) -> Result<Described, DescriptorError> {
    let set = FileDescriptorSet::decode(descriptor_set)?;
    let mut described = BTreeMap::new();
    for file in &set.file {
        for message in &file.message_type {
            describe(file.package(), message, &mut described);
        }
    }
    for inner in described.values().flat_map(BTreeMap::values).flatten() {
        if !described.contains_key(inner) {
            return Err(DescriptorError::Missing(inner.clone()));
        }
    }
    Ok(described)
}

fn describe(parent: &str, message: &DescriptorProto, into: &mut Described) {
    let name = format!("{parent}.{}", message.name());
    let fields = message.field.iter().filter_map(|field| {
        let is_message = field.r#type() == Type::Message;
        let of = is_message.then(|| field.type_name().trim_start_matches('.').to_owned());
        Some((u32::try_from(field.number()).ok()?, of))
    });
    into.insert(name.clone(), fields.collect());
    for inner in &message.nested_type {
        describe(&name, inner, into);
    }
}

/// The messages through which what is sought can be reached, without itself.
fn leading(sought: &str, described: &Described) -> BTreeSet<String> {
    let mut leading = BTreeSet::from([ANY.to_owned()]);
    loop {
        let before = leading.len();
        for (name, fields) in described {
            let leads = |of: &String| of == sought || leading.contains(of);
            if !LEFT_OUT.contains(&name.as_str()) && fields.values().flatten().any(leads) {
                leading.insert(name.clone());
            }
        }
        if leading.len() == before {
            leading.remove(sought);
            return leading;
        }
    }
}
