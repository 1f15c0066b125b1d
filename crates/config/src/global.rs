//! `global`: the settings that keep the reference's names.

use serde::Deserialize;

use crate::{authorization::Authorization, tls::Tls, values::or_default};

/// Settings of the reference, under its names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Global {
    /// Encryption of connections.
    #[serde(deserialize_with = "or_default")]
    pub tls: Tls,
    /// Who may do what.
    pub authorization: Option<Authorization>,
}
