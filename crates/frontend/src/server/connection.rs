//! One client connection.

use std::{convert::Infallible, sync::Arc};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use listener::{AtOnce, Ending, Gathered, Heard, Http2, Peer, Reputation, Stream, Visitor};

use crate::server::{RequestBody, ServerSettings, dispatch::Dispatcher, refused::Account};

/// Serves a connection until the client leaves, or until it is asked to and has finished.
pub(crate) async fn serve(
    stream: Stream,
    peer: Peer,
    visitor: Arc<Visitor>,
    dispatcher: Arc<Dispatcher>,
    settings: ServerSettings,
    ending: Ending,
) {
    // Where nobody has to prove anything there are no strangers.
    let repute = peer.repute.clone();
    if !dispatcher.has_strangers() {
        repute.set(Reputation::Known);
    }
    let turn = visitor.turn(repute.clone());
    let account = Account::new(visitor, repute.clone());
    let asked = account.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let account = asked.clone();
        let response = match account.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(dispatcher.call(request.map(RequestBody::Received), &peer)),
        };
        async move {
            Ok::<_, Infallible>(match response {
                Ok(response) => account.counted(response.await),
                Err(refusal) => refusal,
            })
        }
    });
    let (stream, opening) = Heard::new(stream);
    let http2 = Http2 {
        header_bytes_max: settings.header_bytes_max,
        streams_per_connection_max: settings.streams_per_connection_max,
        keep_alive_interval: settings.keep_alive_interval.to_std(),
        keep_alive_timeout: settings.keep_alive_timeout.to_std(),
    };
    let stream = TokioIo::new(Gathered::new(stream.in_turns(turn.clone())));
    let connection = http2.builder(AtOnce::unless_known(repute)).serve_connection(stream, service);
    let grown_old = async {
        if settings.connection_age.is_zero() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(settings.connection_age.to_std()).await;
    };
    let run = ending.run(connection, |connection| connection.graceful_shutdown(), grown_old);
    tokio::select! {
        biased;
        ended = turn.around(run) => log(ended),
        () = account.exhausted() => tracing::debug!("an address is refused too often"),
        () = opening.missed(settings.opening_timeout.to_std(), &ending) => {}
    }
}

fn log(ended: Option<hyper::Result<()>>) {
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
