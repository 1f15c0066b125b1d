//! Roles, policies and a webhook of the operator's own. None of it is of the reference.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::values::{length_of_time, optional_length_of_time, or_default, texts};

/// What a role of the configuration may do.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct CustomRole {
    /// A role that it includes: `read`, `write`, `worker` or `admin`; none when empty.
    #[serde(deserialize_with = "or_default")]
    pub includes: String,
    /// Names of methods; one `*` may stand at the start or the end.
    #[serde(deserialize_with = "texts")]
    pub methods: Vec<String>,
}

/// Cedar policies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Policies {
    /// A directory whose files end in `.cedar`.
    #[serde(deserialize_with = "or_default")]
    pub directory: PathBuf,
    /// One file.
    #[serde(deserialize_with = "or_default")]
    pub file: PathBuf,
    /// `enforce`, or `shadow`: the log says what would have been denied.
    #[serde(deserialize_with = "or_default")]
    pub mode: String,
    /// Whether they may allow what no role does. They always may forbid.
    #[serde(deserialize_with = "or_default")]
    pub may_permit: bool,
    /// How often the files are looked at again; ten seconds when not set.
    #[serde(deserialize_with = "length_of_time")]
    pub refresh_interval: Duration,
}

/// A server outside that is asked about each call that is allowed so far.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Webhook {
    /// Its address.
    #[serde(deserialize_with = "or_default")]
    pub url: String,
    /// How long it may take; two seconds when not set.
    #[serde(deserialize_with = "optional_length_of_time")]
    pub timeout: Option<Duration>,
    /// How long its answers hold; half a second when not set.
    #[serde(deserialize_with = "optional_length_of_time")]
    pub cache_ttl: Option<Duration>,
}

impl CustomRole {
    pub(crate) fn check(&self, place: &str, problems: &mut Vec<String>) {
        let includes = self.includes.to_lowercase();
        if !["", "read", "write", "worker", "admin"].contains(&includes.as_str()) {
            let text = "is none of read, write, worker and admin";
            problems.push(format!("{place}.includes: `{}` {text}", self.includes));
        }
        if includes.is_empty() && self.methods.is_empty() {
            problems.push(format!("{place}: allows nothing"));
        }
    }
}

impl Policies {
    /// The file or the directory.
    pub fn path(&self) -> &PathBuf {
        if self.file.as_os_str().is_empty() { &self.directory } else { &self.file }
    }

    /// True when they only watch.
    pub fn is_shadow(&self) -> bool {
        self.mode.eq_ignore_ascii_case("shadow")
    }

    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        const PLACE: &str = "global.authorization.policies";
        if self.file.as_os_str().is_empty() == self.directory.as_os_str().is_empty() {
            problems.push(format!("{PLACE}: either directory or file has to be set"));
        }
        if !["", "enforce", "shadow"].contains(&self.mode.to_lowercase().as_str()) {
            problems.push(format!("{PLACE}.mode: `{}` is neither enforce nor shadow", self.mode));
        }
    }
}

impl Webhook {
    pub(crate) fn check(&self, problems: &mut Vec<String>) {
        if self.url.is_empty() {
            problems.push("global.authorization.webhook.url: is not set".to_owned());
        }
    }
}
