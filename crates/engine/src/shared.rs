//! Cheaply cloned parts of a state.

use std::{ops::Deref, sync::Arc};

use bytes::{Buf, BufMut};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType},
};

/// A message behind a reference count, so that cloning a state does not copy it. Encodes exactly
/// as the message itself.
#[derive(Clone, PartialEq, Default)]
pub struct Shared<T>(Arc<T>);

impl<T: Clone> Shared<T> {
    /// Shares a message.
    pub fn new(message: T) -> Self {
        Self(Arc::new(message))
    }

    /// Changes the message; copies it first when it is shared.
    pub fn edit(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }

    /// A copy of the message.
    pub fn to_owned_message(&self) -> T {
        T::clone(&self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Shared<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<T: Message + Clone + Default> Message for Shared<T> {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.0.encode_raw(buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        self.edit().merge_field(tag, wire_type, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    fn clear(&mut self) {
        self.0 = Arc::new(T::default());
    }
}
