//! Sends records to an address, many at once.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_client::{AddressRules, HttpClient};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{AuditError, OnFailure, Webhook, log::Shared};

/// Most groups of records that wait to be sent.
pub(crate) const QUEUE_MAX: usize = 1024;

/// Most bytes of one request; a group that is larger goes alone.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long is waited after a failure: the first time, and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often a request is tried when records may be lost.
const ATTEMPTS_MAX: u32 = 5;

/// How often it still is when the server stops.
const ATTEMPTS_WHEN_CLOSING: u32 = 2;

/// Lines that were written as one, and how many there are.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub(crate) text: String,
    pub(crate) count: u64,
}

/// What sends.
pub(crate) struct Sender {
    pub(crate) webhook: Webhook,
    pub(crate) client: Arc<dyn HttpClient>,
    pub(crate) on_failure: OnFailure,
    pub(crate) shared: Arc<Shared>,
    pub(crate) closing: CancellationToken,
}

/// Checks the address: records say who did what, and the token opens the door.
pub(crate) fn check(webhook: &Webhook) -> Result<(), AuditError> {
    let checked = AddressRules::default().check_endpoint(&webhook.url);
    checked.map_err(|_| AuditError::Address(webhook.url.clone()))
}

impl Sender {
    /// Sends what comes until nobody sends more.
    pub(crate) async fn run(self, mut waiting: mpsc::Receiver<Lines>) {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(lines) => lines,
                None => match waiting.recv().await {
                    Some(lines) => lines,
                    None => return,
                },
            };
            let Lines { mut text, mut count } = first;
            while let Ok(lines) = waiting.try_recv() {
                if text.len() + lines.text.len() > REQUEST_BYTES_MAX {
                    next = Some(lines);
                    break;
                }
                text.push_str(&lines.text);
                count += lines.count;
            }
            self.deliver(Bytes::from(text), count).await;
        }
    }

    async fn deliver(&self, lines: Bytes, count: u64) {
        let mut pause = PAUSE_FIRST;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Err(error) = self.send(lines.clone()).await else {
                if self.shared.is_webhook_failing.swap(false, Ordering::Relaxed) {
                    tracing::warn!("the webhook of the audit log takes records again");
                }
                return;
            };
            self.shared.metrics.failures.inc();
            if !self.shared.is_webhook_failing.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "the webhook of the audit log takes no records");
            }
            let attempts_max = match self.on_failure {
                _ if self.closing.is_cancelled() => ATTEMPTS_WHEN_CLOSING,
                OnFailure::Drop => ATTEMPTS_MAX,
                OnFailure::Block => u32::MAX,
            };
            if attempts >= attempts_max {
                tracing::error!(count, "the webhook of the audit log has lost records");
                self.shared.metrics.dropped.inc_by(count);
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.closing.cancelled(), if !self.closing.is_cancelled() => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn send(&self, lines: Bytes) -> Result<(), String> {
        let mut request = Request::post(&self.webhook.url)
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .body(lines)
            .map_err(|error| error.to_string())?;
        if !self.webhook.token.is_empty() {
            let value = format!("Bearer {}", self.webhook.token);
            let mut value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let answer = self.client.send(request, TIMEOUT).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }
}
