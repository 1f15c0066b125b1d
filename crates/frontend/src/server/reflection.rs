//! What the server's services and their messages are, for clients that ask.
//!
//! The tables behind the answers take about 4 MB, and few servers are ever asked: they are made when
//! the first question comes.

use std::sync::{Arc, LazyLock};

use tonic::{Status, codec::CompressionEncoding};
use tonic_reflection::server::{Builder, Error};

use super::dispatch::{SideService, side_service};

/// The reflection services by their full names.
pub(super) fn services() -> [(&'static str, SideService); 2] {
    [
        ("grpc.reflection.v1.ServerReflection", when_asked(v1)),
        ("grpc.reflection.v1alpha.ServerReflection", when_asked(v1alpha)),
    ]
}

fn v1() -> Result<SideService, Error> {
    let service = described().build_v1()?;
    Ok(side_service(service.accept_compressed(CompressionEncoding::Gzip)))
}

fn v1alpha() -> Result<SideService, Error> {
    let service = described().build_v1alpha()?;
    Ok(side_service(service.accept_compressed(CompressionEncoding::Gzip)))
}

fn described() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(api::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn when_asked(build: fn() -> Result<SideService, Error>) -> SideService {
    let service = LazyLock::new(move || {
        build().unwrap_or_else(|error| {
            tracing::error!(%error, "the API's description cannot be read");
            Arc::new(|_| {
                let response = Status::internal("reflection is not available").into_http();
                Box::pin(async move { response })
            })
        })
    });
    Arc::new(move |request| service(request))
}
