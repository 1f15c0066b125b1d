//! Which fields of which messages lead to payloads.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

const PAYLOAD: &str = "temporal.api.common.v1.Payload";
const ANY: &str = "google.protobuf.Any";

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

/// A message that can hold payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageId(usize);

/// What a field that leads to payloads holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Payload,
    Message(MessageId),
}

/// The fields of a message that lead to payloads.
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
    names: BTreeMap<String, MessageId>,
    messages: Vec<Fields>,
}

impl Fields {
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// What a field holds; `any` is what the message holds when it is an `Any`.
    pub(super) fn kind(&self, number: u32, any: Option<MessageId>) -> Option<FieldKind> {
        const VALUE: u32 = 2;
        match self {
            Self::Known(fields) => fields.get(&number).copied(),
            Self::Any if number == VALUE => any.map(FieldKind::Message),
            Self::Any => None,
        }
    }
}

impl Schema {
    pub(super) fn read(descriptor_set: &[u8]) -> Result<Self, DescriptorError> {
        let set = FileDescriptorSet::decode(descriptor_set)?;
        let mut described = BTreeMap::new();
        for file in &set.file {
            for message in &file.message_type {
                describe(file.package(), message, &mut described);
            }
        }
        for (inner, _) in described.values().flatten() {
            if !described.contains_key(inner) {
                return Err(DescriptorError::Missing(inner.clone()));
            }
        }
        Ok(Self::of(&leading(&described), &described))
    }

    fn of(leading: &BTreeSet<String>, described: &Described) -> Self {
        let numbered = leading.iter().enumerate();
        let names: BTreeMap<_, _> =
            numbered.map(|(index, name)| (name.clone(), MessageId(index))).collect();
        let kind = |name: &String| match name.as_str() {
            PAYLOAD => Some(FieldKind::Payload),
            _ => names.get(name).copied().map(FieldKind::Message),
        };
        let fields_of = |name: &String| {
            if name == ANY {
                return Fields::Any;
            }
            let fields = described.get(name).into_iter().flatten();
            Fields::Known(fields.filter_map(|(of, number)| Some((*number, kind(of)?))).collect())
        };
        let messages = leading.iter().map(fields_of).collect();
        Self { names, messages }
    }

    pub(super) fn find(&self, name: &str) -> Option<MessageId> {
        self.names.get(name).copied()
    }

    pub(super) fn fields(&self, id: MessageId) -> &Fields {
        const NONE: &Fields = &Fields::Known(BTreeMap::new());
        self.messages.get(id.0).unwrap_or(NONE)
    }
}

/// The fields of each message that hold messages: of which, and their numbers.
type Described = BTreeMap<String, Vec<(String, u32)>>;

fn describe(parent: &str, message: &DescriptorProto, into: &mut Described) {
    let name = format!("{parent}.{}", message.name());
    let fields = message.field.iter().filter(|field| field.r#type() == Type::Message);
    let fields = fields.filter_map(|field| {
        let of = field.type_name().trim_start_matches('.').to_owned();
        Some((of, u32::try_from(field.number()).ok()?))
    });
    into.insert(name.clone(), fields.collect());
    for inner in &message.nested_type {
        describe(&name, inner, into);
    }
}

/// The messages through which a payload can be reached, without the payload itself.
fn leading(described: &Described) -> BTreeSet<String> {
    let mut leading = BTreeSet::from([ANY.to_owned()]);
    loop {
        let before = leading.len();
        for (name, fields) in described {
            let leads = |(of, _): &(String, u32)| of == PAYLOAD || leading.contains(of);
            if !LEFT_OUT.contains(&name.as_str()) && fields.iter().any(leads) {
                leading.insert(name.clone());
            }
        }
        if leading.len() == before {
            leading.remove(PAYLOAD);
            return leading;
        }
    }
}
