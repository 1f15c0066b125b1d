//! Runs reads beside the writer.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::Error;

/// Reads that may wait for a thread; more are refused.
const READS_WAITING_MAX: usize = 1024;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Where reads run.
pub(crate) enum Readers {
    /// On the caller's thread, with the writer's connection.
    Here(Arc<Mutex<Connection>>),
    /// On threads, each with its connection.
    Threads(SyncSender<Read>),
}

impl fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Here(_) => "Here",
            Self::Threads(_) => "Threads",
        })
    }
}

impl Readers {
    /// A thread per connection.
    pub(crate) fn start(
        connections: Vec<Arc<Mutex<Connection>>>,
    ) -> Result<(Self, Vec<JoinHandle<()>>), Error> {
        let (sender, receiver) = sync_channel(READS_WAITING_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = connections
            .into_iter()
            .map(|connection| {
                let receiver = Arc::clone(&receiver);
                thread::Builder::new()
                    .name("visibility-read".to_owned())
                    .spawn(move || serve(&receiver, &connection))
                    .map_err(Error::Thread)
            })
            .collect::<Result<_, _>>()?;
        Ok((Self::Threads(sender), threads))
    }

    /// Runs a read and waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let sender = match self {
            Self::Here(connection) => return read(&connection.lock()),
            Self::Threads(sender) => sender,
        };
        let (reply, result) = oneshot::channel();
        let job: Read = Box::new(move |connection| {
            if !reply.is_closed() {
                // Whoever asked may have gone meanwhile.
                drop(reply.send(read(connection)));
            }
        });
        match sender.try_send(job) {
            Ok(()) => result.await.map_err(|_| Error::Closed)?,
            Err(TrySendError::Full(_)) => Err(Error::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Error::Closed),
        }
    }
}

/// Until the sender is gone.
fn serve(receiver: &Mutex<Receiver<Read>>, connection: &Mutex<Connection>) {
    loop {
        let Ok(read) = receiver.lock().recv() else { return };
        read(&connection.lock());
    }
}
