//! `audit`: who called what.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Retention, Secret, Setting};

/// The audit log. It is off unless the file has this section.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// The folder of its files; none when empty.
    pub directory: String,
    /// Also writes it to standard output.
    pub stdout: bool,
    /// Also sends it to an address.
    pub webhook: AuditWebhook,
    /// The file of the key that signs checkpoints; nothing is signed when empty.
    pub key_file: String,
    /// What is kept of calls to the data plane.
    pub data_plane: DataPlane,
    /// The same for single namespaces.
    pub namespaces: BTreeMap<String, DataPlane>,
    /// What happens when it cannot be written.
    pub on_failure: OnFailure,
    /// A file that has so many bytes is followed by another.
    pub rotate_bytes: u64,
    /// So is one that is so old.
    pub rotate_after: Retention,
    /// Files that are older are deleted; zero: never.
    pub retention: Retention,
    /// How often what was written is signed.
    pub checkpoint_interval: Retention,
}

/// See [`Audit::webhook`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditWebhook {
    /// The address; none when empty.
    pub url: String,
    /// What proves to it who sends.
    pub token: Secret,
}

/// See [`Audit::data_plane`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataPlane {
    /// Nothing.
    None,
    /// What users change.
    Writes,
    /// What they read, too, and how much workers do.
    All,
    /// Every call.
    Each,
}

/// See [`Audit::on_failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Nothing happens unseen.
    Block,
    /// Calls go on.
    Drop,
}

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

impl Default for Audit {
    fn default() -> Self {
        Self {
            directory: String::new(),
            stdout: false,
            webhook: AuditWebhook::default(),
            key_file: String::new(),
            data_plane: DataPlane::Writes,
            namespaces: BTreeMap::new(),
            on_failure: OnFailure::Block,
            rotate_bytes: 67_108_864,
            rotate_after: Retention(DAY),
            retention: Retention(DAY * 365),
            checkpoint_interval: Retention(DAY / (24 * 60)),
        }
    }
}

impl Audit {
    /// Notes everything that is wrong and that the form of the file cannot tell.
    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        if self.directory.is_empty() && !self.stdout && self.webhook.url.is_empty() {
            problems.push("audit: goes nowhere: set directory, stdout or webhook.url".to_owned());
        }
        crate::check::range("audit.rotate_bytes", self.rotate_bytes, ROTATE_BYTES, problems);
        if self.checkpoint_interval.0.is_zero() {
            problems.push("audit.checkpoint_interval: is zero".to_owned());
        }
    }

    /// Every setting of the section.
    pub(crate) fn describe() -> Vec<Setting> {
        let setting = |name: &str, doc, unit, default: &str| Setting {
            name: format!("audit.{name}"),
            doc,
            unit,
            default: default.to_owned(),
            range: (name == "rotate_bytes").then_some(ROTATE_BYTES),
        };
        vec![
            setting(
                "directory",
                "The folder of the audit log's files; none when empty.",
                "path",
                "",
            ),
            setting("stdout", "Also writes it to standard output.", "", "false"),
            setting("webhook.url", "Also sends it to this address; none when empty.", "URL", ""),
            setting("webhook.token", "What proves to it who sends.", "", ""),
            setting("key_file", "The Ed25519 key that signs checkpoints.", "path", ""),
            setting(
                "data_plane",
                "What is kept of calls to workflows and the like: none, writes, all or each.",
                "",
                "writes",
            ),
            setting("namespaces.NAME", "The same for one namespace.", "", ""),
            setting(
                "on_failure",
                "What happens when it cannot be written: block (nothing happens unseen) or drop.",
                "",
                "block",
            ),
            setting("rotate_bytes", "Size of a file before the next.", "bytes", "67108864"),
            setting("rotate_after", "Age of a file before the next; 0s: any.", "time", "1day"),
            setting("retention", "Age of files that are deleted; 0s: none.", "time", "365days"),
            setting("checkpoint_interval", "How often it is signed.", "time", "1m"),
        ]
    }
}

const ROTATE_BYTES: std::ops::RangeInclusive<u64> = 65_536..=1_099_511_627_776;
