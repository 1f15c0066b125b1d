//! What a record says, besides its place in the chain.

use serde::Serialize;

use crate::{Call, Decision, Who};

/// The kinds of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// The log was opened: a server starts.
    Opened {
        /// The version of the server.
        version: &'static str,
        /// Bytes of a record that was being written when the server before died; they were cut off.
        #[serde(skip_serializing_if = "is_zero")]
        cut_bytes: u64,
    },
    /// A call.
    Call(Call),
    /// Calls that are alike, too many to be kept one by one.
    Counted {
        /// What is the same in all of them.
        #[serde(flatten)]
        calls: Alike,
        /// How many there were since this kind was last told.
        count: u64,
    },
    /// Records were lost: the log could not be written, and was told to let calls go on.
    Dropped {
        /// How many.
        count: u64,
    },
    /// Files were deleted because of their age.
    Forgotten {
        /// The last record in them.
        up_to: u64,
    },
    /// All before this record is signed.
    Checkpoint {
        /// The key, in base64.
        public_key: String,
        /// The signature, in base64.
        signature: String,
        /// Whether the server stops here.
        #[serde(skip_serializing_if = "Closing::is_no")]
        closing: Closing,
    },
}

/// What calls that are counted together have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Alike {
    /// Who called.
    pub principal: Who,
    /// The address that they came from, without its port.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The method's bare name.
    pub rpc: &'static str,
    /// The namespace that they named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// What was decided.
    pub decision: Decision,
    /// The code of the answers.
    pub outcome: &'static str,
}

/// Whether a checkpoint is the last thing that a server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Closing(pub bool);

impl Closing {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute calls it")]
    const fn is_no(&self) -> bool {
        !self.0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the attribute calls it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
