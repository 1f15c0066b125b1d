//! How a log is written.

use std::{fmt, path::PathBuf, sync::Arc};

use model::Span;

use crate::{Policy, SigningKey};

/// What is kept, where it goes, and what happens when it cannot go there.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is kept.
    pub policy: Policy,
    /// The folder of its files; none when records only go elsewhere. Then each start begins a chain.
    pub directory: Option<PathBuf>,
    /// Also to standard output.
    pub stdout: bool,
    /// Also to an address.
    pub webhook: Option<Webhook>,
    /// What signs checkpoints; none: nothing is signed.
    pub key: Option<Arc<SigningKey>>,
    /// What happens when records cannot be written.
    pub on_failure: OnFailure,
    /// A file that has so many bytes is followed by another.
    pub rotate_bytes: u64,
    /// So is one that is so old.
    pub rotate_after: Span,
    /// Files whose last record is older are deleted; zero: never.
    pub retention: Span,
    /// How often what was written is signed.
    pub checkpoint_interval: Span,
    /// The version of the server, for the record of its start.
    pub version: &'static str,
}

/// Where records are sent to, many at once, one a line.
#[derive(Clone)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What proves to it who sends; empty for nothing.
    pub token: String,
}

/// What happens when records cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Calls wait for their record, and new ones are refused until the log works again.
    Block,
    /// Calls go on, and how many records were lost is kept.
    Drop,
}

/// The token is never shown.
impl fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Webhook").field("url", &self.url).finish_non_exhaustive()
    }
}
