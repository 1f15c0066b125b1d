//! The accept loop.

use std::{
    fmt::{self, Debug},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
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
    AddressLimits, Limits, Peer, PeerCertificate, Repute, Standing, Stream, Visitor, Visitors,
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

/// How a connection hears that the server stops.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Finish what is under way, and take nothing new.
    pub draining: CancellationToken,
    /// Time is up.
    pub cutting: CancellationToken,
}

impl Ending {
    /// Runs a connection to its end. When the server drains, or `leave` ends, `retire` tells it to
    /// finish what is under way; nothing when it was cut before it had.
    #[expect(clippy::manual_async_fn, reason = "an async fn does not promise to be Send")]
    pub fn run<C>(
        &self,
        connection: C,
        retire: fn(Pin<&mut C>),
        leave: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = Option<C::Output>> + Send
    where
        C: Future<Output: Send> + Send,
    {
        async move {
            let mut connection = pin!(connection);
            tokio::select! {
                biased;
                ended = connection.as_mut() => return Some(ended),
                () = self.draining.cancelled() => {}
                () = leave => {}
            }
            retire(connection.as_mut());
            tokio::select! {
                biased;
                ended = connection.as_mut() => Some(ended),
                () = self.cutting.cancelled() => None,
            }
        }
    }
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

    /// Takes connections until `stop` is cancelled, then lets them finish what is under way; what is
    /// left after `patience` is told to stop at once.
    pub async fn serve_until<S, F>(&self, stop: &CancellationToken, patience: Duration, serve: S)
    where
        S: Fn(Stream, Peer, Arc<Visitor>, Ending) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let connections = TaskTracker::new();
        let ending = Ending { draining: stop.clone(), cutting: CancellationToken::new() };
        let told = ending.clone();
        let serve = move |stream, peer, visitor| serve(stream, peer, visitor, told.clone());
        self.accept_until(stop, &connections, serve).await;
        connections.close();
        if tokio::time::timeout(patience, connections.wait()).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "requests did not finish and are cut off"
            );
            ending.cutting.cancel();
            connections.wait().await;
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
    let repute = Repute::default();
    let peer = Peer { address, encrypted: true, certificate, standing, repute };
    Ok((Stream::Encrypted(stream), peer))
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
    async fn connections_finish_when_the_server_stops_or_are_cut() {
        for (patience, told) in [(Duration::from_secs(60), "drained"), (Duration::ZERO, "cut")] {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let listener = Listener::plain(tcp, Limits::default());
            let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
            let stopped = stop.clone();
            let serving = tokio::spawn(async move {
                let serve = move |mut stream: Stream, _, _, ending: Ending| async move {
                    stream.write_all(b"?").await.unwrap();
                    ending.draining.cancelled().await;
                    if told == "cut" {
                        ending.cutting.cancelled().await;
                    }
                    stream.write_all(told.as_bytes()).await.unwrap();
                };
                listener.serve_until(&stopped, patience, serve).await;
            });
            let mut client = TcpStream::connect(address).await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'?');
            stop.cancel();
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, told);
            serving.await.unwrap();
        }
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
