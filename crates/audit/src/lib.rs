//! The audit log: who called what, from where, and what was decided.
//!
//! A record is a line of JSON that holds its own hash and that of the record before it, so that no
//! record can be changed, taken out or moved without a trace. Now and then a checkpoint signs all
//! that came before. One thread writes; callers hand their records over and wait for it only if the
//! configuration says that nothing may happen unseen.
//!
//! Pure: `chain` makes records, `verify` checks them, `policy` says what is kept, `counts` adds up
//! what is not kept one by one. With effects: `log` is what callers see, `writer` the thread behind
//! it, `file` and `webhook` where records go, and `page` reads them. Records hold names, never payloads or secrets.
//!
//! Where to start: `chain.rs`.

mod call;
mod chain;
mod checkpoint;
mod counts;
mod error;
mod file;
mod folder;
mod key;
mod log;
mod page;
mod pending;
mod policy;
mod query;
mod record;
mod settings;
mod verify;
mod webhook;
mod writer;

pub use call::{Call, Decision, Names, Who};
pub use error::AuditError;
pub use folder::{Folder, files_of};
pub use key::{PublicKey, SigningKey};
pub use log::{AuditLog, SearchError};
pub use page::{PAGE_RECORDS_MAX, Page};
pub use pending::Pending;
pub use policy::{DataPlane, Keep, Policy};
pub use query::{Filter, point_in_time};
pub use record::{Body, Closing};
pub use settings::{OnFailure, Settings, Webhook};
pub use verify::{Finding, Report, Verifier};
