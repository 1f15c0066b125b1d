//! From the configuration to the audit log.

use std::{fs, path::Path, sync::Arc};

use anyhow::Context;
use audit::{DataPlane, OnFailure, Policy, Settings, SigningKey, Webhook};
use frontend::OWN_VERSION;
use model::Span;

/// What the log is to be; nothing when there is none.
pub(crate) fn settings(configured: &config::Settings) -> anyhow::Result<Option<Settings>> {
    of(configured.audit.as_ref())
}

/// The same for another kind of server.
pub(crate) fn of(audit: Option<&config::Audit>) -> anyhow::Result<Option<Settings>> {
    audit.map(|audit| read(audit).context("audit")).transpose()
}

fn read(audit: &config::Audit) -> anyhow::Result<Settings> {
    let namespaces = audit.namespaces.iter();
    let webhook = &audit.webhook;
    Ok(Settings {
        policy: Policy {
            data_plane: data_plane(audit.data_plane),
            namespaces: namespaces.map(|(name, kept)| (name.clone(), data_plane(*kept))).collect(),
        },
        directory: (!audit.directory.is_empty()).then(|| audit.directory.clone().into()),
        stdout: audit.stdout,
        webhook: (!webhook.url.is_empty()).then(|| Webhook {
            url: webhook.url.clone(),
            token: webhook.token.reveal().to_owned(),
        }),
        key: match audit.key_file.as_str() {
            "" => None,
            file => Some(Arc::new(signing_key(Path::new(file))?)),
        },
        on_failure: match audit.on_failure {
            config::OnFailure::Block => OnFailure::Block,
            config::OnFailure::Drop => OnFailure::Drop,
        },
        rotate_bytes: audit.rotate_bytes,
        rotate_after: Span::from(audit.rotate_after.0),
        retention: Span::from(audit.retention.0),
        checkpoint_interval: Span::from(audit.checkpoint_interval.0),
        version: OWN_VERSION,
    })
}

fn data_plane(kept: config::DataPlane) -> DataPlane {
    match kept {
        config::DataPlane::None => DataPlane::None,
        config::DataPlane::Writes => DataPlane::Writes,
        config::DataPlane::All => DataPlane::All,
        config::DataPlane::Each => DataPlane::Each,
    }
}

/// Reads the key that signs checkpoints.
pub(crate) fn signing_key(file: &Path) -> anyhow::Result<SigningKey> {
    let place = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{place}`"))?;
    SigningKey::from_pem(&text).with_context(|| place.to_string())
}
