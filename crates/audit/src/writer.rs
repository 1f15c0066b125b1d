//! The thread that writes: it takes what waits, makes records of it, and writes them as one.

use std::{
    io::{self, Write as _},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use environment::{Clock, Environment};
use http_client::Client;
use model::Span;
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    AuditError, Body, Closing, Folder, OnFailure, Settings, SigningKey, Webhook,
    chain::Chain,
    checkpoint::checkpoint,
    file::{LogFile, Resumed},
    log::{Message, Shared},
    webhook::{self, Lines, Sender},
};

/// Most calls that are written as one.
const GROUP_MAX: usize = 1024;

/// How often is looked at what time brings: syncs, counts, checkpoints, rotation.
const TICK: Duration = Duration::from_secs(1);

/// How often what was counted is told.
const COUNT_INTERVAL: Span = Span::from_secs(60);

/// How often files are looked at for their age.
const RETENTION_INTERVAL: Span = Span::from_secs(3600);

/// So many records are signed, however little time has passed.
const CHECKPOINT_RECORDS_MAX: u64 = 10_000;

/// How long is waited before a failed write is tried again, and how often that is logged.
const PAUSE: Duration = Duration::from_millis(100);
const LOG_EVERY: u32 = 100;

/// How often a write is still tried when the server stops.
const ATTEMPTS_WHEN_CLOSING: u32 = 20;

/// Opens the log and starts the thread.
pub(crate) fn start(
    settings: Settings,
    environment: &Environment,
    shared: Arc<Shared>,
    waiting: mpsc::Receiver<Message>,
    closing: CancellationToken,
) -> Result<(), AuditError> {
    let clock = Arc::clone(&environment.clock);
    if let Some(webhook) = &settings.webhook {
        webhook::check(webhook)?;
    }
    let resumed = match &settings.directory {
        None => None,
        Some(path) => Some(LogFile::resume(Folder::at(path.clone()), clock.now())?),
    };
    let (file, chain, cut_bytes) = match resumed {
        None => (None, Chain::default(), 0),
        Some(Resumed { file, chain, cut_bytes }) => (Some(file), chain, cut_bytes),
    };
    if cut_bytes > 0 {
        tracing::warn!(cut_bytes, "the audit log ended within a record, which was cut off");
    }
    let monotonic = clock.monotonic();
    let opened = Body::Opened { version: settings.version, cut_bytes };
    let mut writer = Writer {
        settings,
        clock,
        shared,
        closing,
        file,
        webhook: None,
        chain,
        unsigned: 0,
        signed_at: monotonic,
        counted_at: monotonic,
        looked_at: None,
    };
    // A runtime of its own: what is written must not wait for those who are served.
    let runtime = Builder::new_current_thread().enable_all().build().map_err(AuditError::Thread)?;
    let thread = thread::Builder::new().name("audit".to_owned());
    thread
        .spawn(move || runtime.block_on(writer.run(opened, waiting)))
        .map(drop)
        .map_err(AuditError::Thread)
}

struct Writer {
    settings: Settings,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    closing: CancellationToken,
    file: Option<LogFile>,
    webhook: Option<(mpsc::Sender<Lines>, JoinHandle<()>)>,
    chain: Chain,
    /// Records since the last checkpoint.
    unsigned: u64,
    signed_at: Span,
    counted_at: Span,
    looked_at: Option<Span>,
}

/// What becomes a record.
enum Item {
    Body(Body),
    /// The signature of all before it.
    Checkpoint(Arc<SigningKey>, Closing),
}

impl Writer {
    async fn run(&mut self, opened: Body, mut queue: mpsc::Receiver<Message>) {
        self.webhook = self.settings.webhook.clone().map(|webhook| self.start_webhook(webhook));
        self.write(vec![Item::Body(opened)], Vec::new()).await;
        let mut messages = Vec::new();
        loop {
            let received = timeout(TICK, queue.recv_many(&mut messages, GROUP_MAX)).await;
            let is_over = matches!(received, Ok(0));
            let (mut items, mut waiting, mut closed) = (Vec::new(), Vec::new(), None);
            for message in messages.drain(..) {
                match message {
                    Message::Call(call, waits) => {
                        items.push(Item::Body(Body::Call(*call)));
                        waiting.extend(waits);
                    }
                    Message::Close(done) => closed = Some(done),
                }
            }
            self.write(items, waiting).await;
            let is_closing = is_over || closed.is_some();
            self.keep_house(is_closing).await;
            if is_closing {
                if let Some((queue, sending)) = self.webhook.take() {
                    drop(queue);
                    drop(sending.await);
                }
                // Another server may write from now on.
                self.file = None;
                drop(closed);
                return;
            }
        }
    }

    fn start_webhook(&self, webhook: Webhook) -> (mpsc::Sender<Lines>, JoinHandle<()>) {
        let (queue, lines) = mpsc::channel(webhook::QUEUE_MAX);
        let sender = Sender {
            webhook,
            client: Arc::new(Client::default()),
            on_failure: self.settings.on_failure,
            shared: Arc::clone(&self.shared),
            closing: self.closing.clone(),
        };
        (queue, tokio::spawn(sender.run(lines)))
    }

    /// Does what time, or the end, brings.
    async fn keep_house(&mut self, is_closing: bool) {
        let monotonic = self.clock.monotonic();
        if is_closing || monotonic - self.counted_at >= COUNT_INTERVAL {
            self.counted_at = monotonic;
            let counted = self.shared.counts.lock().take();
            let bodies = counted.into_iter().map(|(calls, count)| Body::Counted { calls, count });
            self.write(bodies.map(Item::Body).collect(), Vec::new()).await;
        }
        if self.looked_at.is_none_or(|at| monotonic - at >= RETENTION_INTERVAL) {
            self.looked_at = Some(monotonic);
            self.forget().await;
        }
        let is_due = monotonic - self.signed_at >= self.settings.checkpoint_interval
            || self.unsigned >= CHECKPOINT_RECORDS_MAX;
        if self.unsigned > 0 && (is_due || is_closing) {
            self.sign(is_closing).await;
        }
        let now = self.clock.now();
        let (bytes_max, age_max) = (self.settings.rotate_bytes, self.settings.rotate_after);
        if !is_closing && self.file.as_ref().is_some_and(|it| it.is_full(now, bytes_max, age_max)) {
            if self.unsigned > 0 {
                self.sign(false).await;
            }
            self.act("continued in another file", |file, next| file.rotate(next, now));
        }
        self.act("made durable", |file, _| file.sync());
    }

    /// Deletes files that are too old, after saying so.
    async fn forget(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| !self.settings.retention.is_zero()) else {
            return;
        };
        let (old, up_to) = file.older_than(self.settings.retention, self.clock.now());
        let Some(up_to) = up_to else { return };
        self.write(vec![Item::Body(Body::Forgotten { up_to })], Vec::new()).await;
        for path in old {
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "an old audit log stays");
            }
        }
    }

    /// Signs all that was written.
    async fn sign(&mut self, is_closing: bool) {
        self.signed_at = self.clock.monotonic();
        let Some(key) = self.settings.key.clone() else { return };
        let item = Item::Checkpoint(key, Closing(is_closing));
        let Some(text) = self.write(vec![item], Vec::new()).await else { return };
        self.unsigned = 0;
        let line = text.lines().last().unwrap_or_default().to_owned();
        self.act("signed", |file, _| file.write_head(&line));
    }

    /// Writes records as one: all of them, or none. Those who wait are told when it has worked.
    /// Gives what was written.
    async fn write(
        &mut self,
        items: Vec<Item>,
        waiting: Vec<oneshot::Sender<()>>,
    ) -> Option<String> {
        if items.is_empty() {
            return None;
        }
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let mut attempts = 0;
        let text = loop {
            let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
            let (chain, text) = self.seal(&items, dropped);
            let written = self.file.as_mut().map_or(Ok(()), |file| file.append(&text));
            let Err(error) = written else {
                self.chain = chain;
                break text;
            };
            self.shared.dropped.fetch_add(dropped, Ordering::Relaxed);
            self.failed(&error, attempts);
            attempts += 1;
            let may_wait = self.settings.on_failure == OnFailure::Block
                && (attempts < ATTEMPTS_WHEN_CLOSING || !self.closing.is_cancelled());
            if !may_wait {
                self.shared.dropped.fetch_add(count, Ordering::Relaxed);
                self.shared.metrics.dropped.inc_by(count);
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        };
        if self.shared.is_file_failing.swap(false, Ordering::Relaxed) {
            tracing::warn!("the audit log is written again");
        }
        self.unsigned += count;
        self.shared.metrics.records.inc_by(count);
        for waits in waiting {
            // Whoever has gone away does not wait.
            let _told = waits.send(());
        }
        self.copy(&text, count).await;
        Some(text)
    }

    /// Makes lines of records; gives them and where the chain is then.
    fn seal(&self, items: &[Item], dropped: u64) -> (Chain, String) {
        let (mut chain, mut text) = (self.chain.clone(), String::new());
        let now = self.clock.now();
        let lost = (dropped > 0).then_some(Body::Dropped { count: dropped });
        let mut append = |chain: &mut Chain, body: &Body| {
            if let Err(error) = chain.append(now, body, &mut text) {
                // Records are texts and numbers: there is nothing that JSON lacks.
                tracing::error!(%error, "a record of the audit log cannot be written");
            }
        };
        if let Some(body) = &lost {
            append(&mut chain, body);
        }
        for item in items {
            match item {
                Item::Body(body) => append(&mut chain, body),
                Item::Checkpoint(key, closing) => {
                    let body = checkpoint(&chain, now, key, closing.0);
                    append(&mut chain, &body);
                }
            }
        }
        (chain, text)
    }

    /// Sends what was written to where else it goes.
    async fn copy(&mut self, text: &str, count: u64) {
        if self.settings.stdout {
            let mut out = io::stdout().lock();
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            if written.is_err() {
                self.shared.metrics.failures.inc();
            }
        }
        let Some((queue, _)) = &self.webhook else { return };
        let lines = Lines { text: text.to_owned(), count };
        let is_lost = match self.settings.on_failure {
            OnFailure::Block => queue.send(lines).await.is_err(),
            OnFailure::Drop => queue.try_send(lines).is_err(),
        };
        if is_lost {
            tracing::error!(count, "the webhook of the audit log has lost records");
            self.shared.metrics.dropped.inc_by(count);
        }
    }

    fn failed(&self, error: &io::Error, attempts: u32) {
        self.shared.metrics.failures.inc();
        let was_failing = self.shared.is_file_failing.swap(true, Ordering::Relaxed);
        if !was_failing || (attempts > 0 && attempts.is_multiple_of(LOG_EVERY)) {
            let what = match self.settings.on_failure {
                OnFailure::Block => "calls are refused until it can",
                OnFailure::Drop => "records are lost",
            };
            tracing::error!(%error, "the audit log cannot be written: {what}");
        }
    }

    /// Does something with the file; a failure is logged.
    fn act(&mut self, what: &str, act: impl FnOnce(&mut LogFile, u64) -> io::Result<()>) {
        let next = self.chain.next;
        if let Some(file) = &mut self.file
            && let Err(error) = act(file, next)
        {
            self.shared.metrics.failures.inc();
            tracing::error!(%error, "the audit log cannot be {what}");
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
