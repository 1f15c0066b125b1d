//! The log as callers see it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use authz::Rpc;
use environment::Environment;
use parking_lot::Mutex;
use telemetry::AuditMetrics;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    AuditError, Call, Decision, Filter, Folder, Keep, OnFailure, Page, Settings, counts::Counts,
    record::Alike, writer,
};

/// Most calls that wait for the thread that writes.
const QUEUE_MAX: usize = 8192;

/// Most searches at once: each reads as much of the log as a page may.
const SEARCHES_MAX: usize = 4;

/// The outcome of calls that a limit refused: whoever is too fast fills no disk.
const LIMITED: &str = "RESOURCE_EXHAUSTED";

/// Takes what callers did. Cheap to ask; one for each server.
#[derive(Debug)]
pub struct AuditLog {
    policy: crate::Policy,
    on_failure: OnFailure,
    queue: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    /// Its files, if it has any.
    folder: Option<Folder>,
    searches: Semaphore,
}

/// Why a log was not searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Records only go elsewhere.
    #[error("the audit log of this server has no files")]
    NoFiles,
    /// As many others as may search do.
    #[error("too many searches of the audit log at once")]
    Busy,
    /// The files cannot be read.
    #[error(transparent)]
    Unreadable(#[from] AuditError),
    /// The search did not end.
    #[error("the search of the audit log has failed")]
    Failed,
}

/// What callers, the thread that writes and the webhook know of each other.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) counts: Mutex<Counts>,
    /// Records that found no place since somebody wrote how many.
    pub(crate) dropped: AtomicU64,
    pub(crate) is_file_failing: AtomicBool,
    pub(crate) is_webhook_failing: AtomicBool,
    pub(crate) metrics: AuditMetrics,
}

/// What the thread that writes is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A call, and who waits until it is written.
    Call(Box<Call>, Option<oneshot::Sender<()>>),
    /// All that came before is to be written, and the log closed.
    Close(oneshot::Sender<()>),
}

impl AuditLog {
    /// Opens the log and starts the thread that writes. Called within a runtime, which also sends
    /// what goes to the webhook.
    ///
    /// # Errors
    /// When its files cannot be opened, or its settings make no sense.
    pub fn open(
        settings: Settings,
        environment: &Environment,
        metrics: AuditMetrics,
    ) -> Result<Arc<Self>, AuditError> {
        let shared = Arc::new(Shared {
            counts: Mutex::default(),
            dropped: AtomicU64::new(0),
            is_file_failing: AtomicBool::new(false),
            is_webhook_failing: AtomicBool::new(false),
            metrics,
        });
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let closing = CancellationToken::new();
        let (policy, on_failure) = (settings.policy.clone(), settings.on_failure);
        let folder = settings.directory.clone().map(Folder::at);
        writer::start(settings, environment, Arc::clone(&shared), waiting, closing.clone())?;
        let searches = Semaphore::new(SEARCHES_MAX);
        Ok(Arc::new(Self { policy, on_failure, queue, shared, closing, folder, searches }))
    }

    /// True when what was written can be looked for here.
    pub const fn is_searchable(&self) -> bool {
        self.folder.is_some()
    }

    /// The latest records that a filter takes, of those before the one with this number.
    ///
    /// # Errors
    /// See [`SearchError`].
    pub async fn search(
        &self,
        filter: Filter,
        before: Option<u64>,
        records_max: usize,
    ) -> Result<Page, SearchError> {
        let folder = self.folder.clone().ok_or(SearchError::NoFiles)?;
        let _place = self.searches.try_acquire().map_err(|_| SearchError::Busy)?;
        let searching =
            tokio::task::spawn_blocking(move || folder.page(&filter, before, records_max));
        Ok(searching.await.map_err(|_| SearchError::Failed)??)
    }

    /// How a call is kept when it is allowed.
    pub fn keep(&self, rpc: &Rpc, namespace: &str) -> Keep {
        self.policy.keep(rpc, namespace)
    }

    /// True while nothing may happen because nobody could see it.
    pub fn is_blocked(&self) -> bool {
        self.on_failure == OnFailure::Block
            && (self.shared.is_file_failing.load(Ordering::Relaxed)
                || self.shared.is_webhook_failing.load(Ordering::Relaxed))
    }

    /// Hands a call over without waiting.
    pub fn tell(&self, call: Call) {
        if let Some(call) = self.unless_counted(call)
            && self.queue.try_send(Message::Call(Box::new(call), None)).is_err()
        {
            self.lose();
        }
    }

    /// Hands a call over. If nothing may happen unseen, it is written when this returns.
    pub async fn record(&self, call: Call) {
        if self.on_failure == OnFailure::Drop {
            return self.tell(call);
        }
        let Some(call) = self.unless_counted(call) else { return };
        let (written, wait) = oneshot::channel();
        if self.queue.send(Message::Call(Box::new(call), Some(written))).await.is_err() {
            return self.lose();
        }
        // An error says that the log was closed with the record in it or lost it loudly.
        drop(wait.await);
    }

    /// Adds a call to others that are alike.
    pub fn count(&self, call: &Call) {
        self.shared.counts.lock().add(alike(call));
    }

    /// Writes and signs all that was told, and ends the thread.
    pub async fn close(&self) {
        self.closing.cancel();
        let (done, wait) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            drop(wait.await);
        }
    }

    /// What comes too often is counted.
    fn unless_counted(&self, call: Call) -> Option<Call> {
        let is_refused = call.decision != Decision::Allowed;
        let is_kept = if is_refused {
            self.shared.counts.lock().is_refusal_kept(host(&call.source))
        } else {
            call.outcome != LIMITED
        };
        if is_kept {
            return Some(call);
        }
        self.count(&call);
        None
    }

    fn lose(&self) {
        self.shared.metrics.dropped.inc();
        if self.shared.dropped.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!("the audit log does not keep up: records are lost");
        }
    }
}

fn alike(call: &Call) -> Alike {
    Alike {
        principal: call.principal.clone(),
        source: host(&call.source).to_owned(),
        rpc: call.rpc,
        namespace: call.namespace.clone(),
        decision: call.decision,
        outcome: call.outcome,
    }
}

/// An address without its port.
fn host(source: &str) -> &str {
    let has_port = source.parse::<SocketAddr>().is_ok();
    source.rsplit_once(':').filter(|_| has_port).map_or(source, |(host, _)| host)
}
