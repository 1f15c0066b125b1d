//! Several codecs in a row.

use std::fmt;

use crate::{Codec, Context, Payload, codec::Coded};

/// The first codec of a chain is the one nearest to the server, as in the SDKs' lists of codecs: what
/// is compressed and then encrypted is `Chain::of(encryption).after(compression)`.
pub struct Chain {
    codecs: Vec<Box<dyn Codec>>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Chain").field("codecs", &self.codecs.len()).finish()
    }
}

impl Chain {
    /// A chain of one.
    pub fn of(codec: impl Codec + 'static) -> Self {
        Self { codecs: vec![Box::new(codec)] }
    }

    /// Encodes with `codec` before the others, and decodes with it after them.
    #[must_use]
    pub fn after(mut self, codec: impl Codec + 'static) -> Self {
        self.codecs.push(Box::new(codec));
        self
    }
}

impl Codec for Chain {
    fn encode<'a>(&'a self, context: &'a Context, mut payloads: Vec<Payload>) -> Coded<'a> {
        Box::pin(async move {
            for codec in self.codecs.iter().rev() {
                payloads = codec.encode(context, payloads).await?;
            }
            Ok(payloads)
        })
    }

    fn decode<'a>(&'a self, context: &'a Context, mut payloads: Vec<Payload>) -> Coded<'a> {
        Box::pin(async move {
            for codec in &self.codecs {
                payloads = codec.decode(context, payloads).await?;
            }
            Ok(payloads)
        })
    }
}
