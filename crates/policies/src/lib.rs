//! Decisions of the operator's own.
//!
//! [`Policies`] are Cedar policies from files: they forbid what roles allow and, if they may, allow
//! more. `schema` says what they can speak of, `set` reads and checks them, `entities` turns callers
//! into what Cedar knows, `policies` keeps them current and asks them. [`Webhook`] asks a server
//! outside; without an answer nothing is allowed.

mod entities;
mod policies;
mod schema;
mod set;
mod webhook;

pub use policies::{Mode, Policies, Settings};
pub use schema::schema_text;
pub use set::PoliciesError;
pub use webhook::{Webhook, WebhookError, WebhookSettings};
