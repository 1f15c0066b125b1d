//! Handshakes.

use futures_util::future::BoxFuture;
use listener::{Encryption, Handshake, HandshakeError, Protocols};
use rustls::server::Acceptor;
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_rustls::LazyConfigAcceptor;

use crate::{ServerTls, peer::peer_certificate};

impl Encryption for ServerTls {
    fn handshake<'a>(
        &'a self,
        stream: TcpStream,
        protocols: Protocols,
        turn: &'a Semaphore,
    ) -> BoxFuture<'a, Result<Handshake, HandshakeError>> {
        Box::pin(async move {
            let failed = |error: std::io::Error| HandshakeError(error.to_string());
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await;
            let hello = hello.map_err(failed)?;
            let _turn = turn.acquire().await.map_err(|error| HandshakeError(error.to_string()))?;
            // Each connection begins under what is in force now, whatever was before.
            let name = hello.client_hello().server_name().map(str::to_owned);
            let config = self.hosts().named(name.as_deref()).config(protocols);
            let stream = hello.into_stream(config).await.map_err(failed)?;
            let (_, connection) = stream.get_ref();
            let group = connection.negotiated_key_exchange_group().map(|group| group.name());
            let version = connection.protocol_version();
            tracing::debug!(?version, ?group, "a connection is encrypted");
            let chain = connection.peer_certificates().unwrap_or_default();
            let certificate = chain.first().map(peer_certificate).transpose();
            let certificate = certificate.map_err(HandshakeError)?;
            let standing = self.standing(name.as_deref(), chain);
            Ok(Handshake { stream: Box::new(stream), certificate, standing })
        })
    }
}
