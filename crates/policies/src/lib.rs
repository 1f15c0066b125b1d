//! Decisions of the operator's own.
//!
//! [`Webhook`] asks a server outside; without an answer nothing is allowed.

mod webhook;

pub use webhook::{Webhook, WebhookError, WebhookSettings};
