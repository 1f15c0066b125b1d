//! What every codec does.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{CodecError, Payload};

/// Payloads on their way through a codec.
pub type Coded<'a> = BoxFuture<'a, Result<Vec<Payload>, CodecError>>;

/// Where payloads belong, for codecs that bind them to it. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The namespace.
    pub namespace: String,
    /// The workflow.
    pub workflow_id: String,
}

impl Context {
    /// Payloads of a namespace.
    pub fn of_namespace(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), workflow_id: String::new() }
    }
}

/// Turns payloads into others before they go to the server, and back.
///
/// Each payload becomes one payload, in the same place. A payload that a codec did not make passes
/// its `decode` unchanged.
pub trait Codec: Send + Sync {
    /// What the server gets.
    ///
    /// # Errors
    /// When a payload cannot be encoded; then none is.
    fn encode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a>;

    /// What the application gets.
    ///
    /// # Errors
    /// When a payload cannot be decoded; then none is.
    fn decode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a>;
}

impl<C: Codec + ?Sized> Codec for Arc<C> {
    fn encode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        (**self).encode(context, payloads)
    }

    fn decode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        (**self).decode(context, payloads)
    }
}

impl<C: Codec + ?Sized> Codec for Box<C> {
    fn encode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        (**self).encode(context, payloads)
    }

    fn decode<'a>(&'a self, context: &'a Context, payloads: Vec<Payload>) -> Coded<'a> {
        (**self).decode(context, payloads)
    }
}

/// The answer of a codec that waits for nothing, and puts others in the payloads' places.
pub(crate) fn at_once<'a>(
    mut payloads: Vec<Payload>,
    code: impl FnOnce(&mut [Payload]) -> Result<(), CodecError>,
) -> Coded<'a> {
    let coded = code(&mut payloads);
    Box::pin(std::future::ready(coded.map(|()| payloads)))
}
