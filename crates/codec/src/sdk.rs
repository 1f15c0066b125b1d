//! The codecs for the official Rust SDK.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::{Payload as SdkPayload, payload::ExternalPayloadDetails},
};

use crate::{Codec, CodecError, Context, ExternalPayload, Payload};

/// A codec as the SDK's data converter takes it: `DataConverter::new(converter, failures,
/// SdkCodec::new(codec).in_namespace("orders"))`.
///
/// The SDK does not say yet which workflow a payload belongs to, so that only the namespace is
/// bound.
#[derive(Clone)]
pub struct SdkCodec {
    codec: Arc<dyn Codec>,
    context: Context,
}

impl fmt::Debug for SdkCodec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SdkCodec").field("context", &self.context).finish_non_exhaustive()
    }
}

impl SdkCodec {
    /// A codec that binds payloads to nothing.
    pub fn new(codec: impl Codec + 'static) -> Self {
        Self { codec: Arc::new(codec), context: Context::default() }
    }

    /// The same for a worker or client of a namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.context.namespace = namespace.into();
        self
    }
}

type SdkCoded = BoxFuture<'static, Result<Vec<SdkPayload>, PayloadConversionError>>;

impl PayloadCodec for SdkCodec {
    fn encode(&self, _: &SerializationContextData, payloads: Vec<SdkPayload>) -> SdkCoded {
        let Self { codec, context } = self.clone();
        Box::pin(async move {
            let payloads = payloads.into_iter().map(from_sdk).collect();
            let coded = codec.encode(&context, payloads).await.map_err(to_sdk_error)?;
            Ok(coded.into_iter().map(to_sdk).collect())
        })
    }

    fn decode(&self, _: &SerializationContextData, payloads: Vec<SdkPayload>) -> SdkCoded {
        let Self { codec, context } = self.clone();
        Box::pin(async move {
            let payloads = payloads.into_iter().map(from_sdk).collect();
            let coded = codec.decode(&context, payloads).await.map_err(to_sdk_error)?;
            Ok(coded.into_iter().map(to_sdk).collect())
        })
    }
}

fn from_sdk(payload: SdkPayload) -> Payload {
    let external = payload.external_payloads.into_iter();
    Payload {
        metadata: payload.metadata.into_iter().collect(),
        data: payload.data.into(),
        external_payloads: external
            .map(|external| ExternalPayload { size_bytes: external.size_bytes })
            .collect(),
    }
}

fn to_sdk(payload: Payload) -> SdkPayload {
    let external = payload.external_payloads.into_iter();
    let metadata = payload.metadata.iter();
    SdkPayload {
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
        data: payload.data.into(),
        external_payloads: external
            .map(|external| ExternalPayloadDetails { size_bytes: external.size_bytes })
            .collect(),
    }
}

fn to_sdk_error(error: CodecError) -> PayloadConversionError {
    PayloadConversionError::EncodingError(Box::new(error))
}
