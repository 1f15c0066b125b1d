//! The accept loop.

use std::{
    fmt::{self, Debug},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    AddressLimits, Limits, Peer, PeerCertificate, Standing, Stream, Visitor, Visitors,
    stream::Encrypted, visitor::Visit,
};

/// Wait after a failure to accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is spoken inside of an encrypted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/2 alone, as gRPC needs it.
    Http2,
    /// HTTP/1.1 alone.
    Http1,
}

/// What comes of a handshake.
pub struct Handshake {
    /// The connection from now on.
    pub stream: Box<dyn Encrypted>,
    /// The client's certificate, checked.
    pub certificate: Option<PeerCertificate>,
    /// Who knows whether it still holds.
    pub standing: Option<Arc<dyn Standing>>,
}

impl Debug for Handshake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handshake").field("certificate", &self.certificate).finish()
    }
}

/// Why a handshake failed; the text is for the log.
#[derive(Debug)]
pub struct HandshakeError(pub String);

/// Encrypts connections.
pub trait Encryption: Debug + Send + Sync + 'static {
    /// Does the server's part of a handshake. `turn` has a place for each handshake that may be
    /// under way: take one when the client has spoken.
    fn handshake<'a>(
        &'a self,
        stream: TcpStream,
        protocols: Protocols,
        turn: &'a Semaphore,
    ) -> BoxFuture<'a, Result<Handshake, HandshakeError>>;
}

/// A port that takes connections.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    encryption: Option<(Arc<dyn Encryption>, Protocols)>,
    limits: Limits,
    visitors: Arc<Visitors>,
    slots: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
}

/// A connection that was accepted, with its places.
struct Accepted {
    tcp: TcpStream,
    address: SocketAddr,
    visit: Visit,
    slot: OwnedSemaphorePermit,
}

impl Listener {
    /// A port without encryption, and without limits for single addresses.
    pub fn plain(tcp: TcpListener, limits: Limits) -> Self {
        let slots = Arc::new(Semaphore::new(limits.connections_max));
        let handshakes = Arc::new(Semaphore::new(limits.handshakes_max));
        let visitors = Visitors::new(AddressLimits::default());
        Self { tcp, encryption: None, limits, visitors, slots, handshakes }
    }

    /// The same port with limits for each address.
    #[must_use]
    pub fn with_visitors(self, visitors: Arc<Visitors>) -> Self {
        Self { visitors, ..self }
    }

    /// The same port with encryption: whoever does not speak it is sent away.
    #[must_use]
    pub fn encrypted(self, encryption: Arc<dyn Encryption>, protocols: Protocols) -> Self {
        Self { encryption: Some((encryption, protocols)), ..self }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Takes connections until `stop` is cancelled. Each runs `serve` as a task of `connections`,
    /// and keeps its place until that ends.
    pub async fn accept_until<S, F>(
        &self,
        stop: &CancellationToken,
        connections: &TaskTracker,
        serve: S,
    ) where
        S: Fn(Stream, Peer, Arc<Visitor>) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = self.accept() => accepted,
            };
            let Some(Accepted { tcp, address, visit, slot }) = accepted else { continue };
            let (encryption, timeout) = (self.encryption.clone(), self.limits.handshake_timeout);
            let (handshakes, serve) = (Arc::clone(&self.handshakes), serve.clone());
            let stop = stop.clone();
            connections.spawn(async move {
                let opened = open(tcp, address, encryption, &handshakes);
                let opened = tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    opened = tokio::time::timeout(timeout.to_std(), opened) => opened,
                };
                match opened {
                    Ok(Ok((stream, peer))) => serve(stream, peer, Arc::clone(&visit.0)).await,
                    Ok(Err(HandshakeError(error))) => {
                        tracing::debug!(%address, error, "a handshake failed");
                    }
                    Err(_) => tracing::debug!(%address, "a handshake took too long"),
                }
                drop((visit, slot));
            });
        }
    }

    /// The next connection and its places; nothing when it could not be accepted, or its address
    /// went too far: then it is closed at once.
    async fn accept(&self) -> Option<Accepted> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        match self.tcp.accept().await {
            Ok((tcp, address)) => {
                let visit = self.visitors.take(address.ip());
                if visit.is_none() {
                    tracing::debug!(%address, "a connection is not taken: too many");
                }
                visit.map(|visit| Accepted { tcp, address, visit, slot })
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

async fn open(
    tcp: TcpStream,
    address: SocketAddr,
    encryption: Option<(Arc<dyn Encryption>, Protocols)>,
    handshakes: &Semaphore,
) -> Result<(Stream, Peer), HandshakeError> {
    // A call is a few small frames that must not wait for each other.
    tcp.set_nodelay(true).map_err(|error| HandshakeError(error.to_string()))?;
    let Some((encryption, protocols)) = encryption else {
        return Ok((Stream::Plain(tcp), Peer::plain(address)));
    };
    let Handshake { stream, certificate, standing } =
        encryption.handshake(tcp, protocols, handshakes).await?;
    let certificate = certificate.map(Arc::new);
    Ok((Stream::Encrypted(stream), Peer { address, encrypted: true, certificate, standing }))
}

#[cfg(test)]
mod tests {
    use model::Span;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Takes the first byte for a handshake.
    #[derive(Debug)]
    struct FirstByte;

    impl Encryption for FirstByte {
        fn handshake<'a>(
            &'a self,
            mut stream: TcpStream,
            _protocols: Protocols,
            turn: &'a Semaphore,
        ) -> BoxFuture<'a, Result<Handshake, HandshakeError>> {
            Box::pin(async move {
                let byte = stream.read_u8().await.unwrap();
                let _turn = turn.acquire().await.unwrap();
                if byte == b'!' {
                    return Err(HandshakeError("no".to_owned()));
                }
                let certificate = PeerCertificate { subject: "CN=x".into(), ..Default::default() };
                let (stream, certificate) = (Box::new(stream), Some(certificate));
                Ok(Handshake { stream, certificate, standing: None })
            })
        }
    }

    async fn echo(mut stream: Stream, peer: Peer, _visitor: Arc<Visitor>) {
        let name = peer.certificate.as_ref().map_or("nobody", |known| &known.subject);
        stream.write_all(name.as_bytes()).await.unwrap();
    }

    async fn listen(limits: Limits, encrypted: bool) -> (SocketAddr, CancellationToken) {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut listener = Listener::plain(tcp, limits);
        if encrypted {
            listener = listener.encrypted(Arc::new(FirstByte), Protocols::Http2);
        }
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            listener.accept_until(&stopped, &TaskTracker::new(), echo).await;
        });
        (address, stop)
    }

    async fn answer(address: SocketAddr, first: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(first).await.unwrap();
        let mut text = String::new();
        // A connection that is cut may read as an error or as an end.
        stream.read_to_string(&mut text).await.ok();
        text
    }

    #[tokio::test]
    async fn each_connection_says_who_it_is() {
        let (plain, _stop) = listen(Limits::default(), false).await;
        assert_eq!(answer(plain, b"").await, "nobody");
        let (encrypted, stop) = listen(Limits::default(), true).await;
        assert_eq!(answer(encrypted, b"?").await, "CN=x");
        assert_eq!(answer(encrypted, b"!").await, "");
        stop.cancel();
    }

    #[tokio::test]
    async fn a_silent_client_keeps_its_place_for_no_longer_than_the_time_out() {
        let handshake_timeout = Span::from_millis(50);
        let limits = Limits { connections_max: 1, handshakes_max: 1, handshake_timeout };
        let (address, _stop) = listen(limits, true).await;
        let silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(answer(address, b"?").await, "CN=x");
        drop(silent);
    }
}
