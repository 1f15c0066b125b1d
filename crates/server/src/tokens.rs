//! Keys of tokens (PKCS#11), as configurations name them.

use anyhow::{Context, ensure};
use longtide_pkcs11::{Pkcs11Key, Pkcs11Pin, Pkcs11Token};

/// The key of a token, and the PIN that the token wants to see.
pub(crate) fn key(id: &str, pkcs11: &config::Pkcs11) -> anyhow::Result<Pkcs11Key> {
    let (pin, place) = match (&pkcs11.pin_file, &pkcs11.pin_environment) {
        (Some(file), _) => {
            let shown = file.display();
            let pin = std::fs::read_to_string(file);
            let pin = pin.with_context(|| format!("key `{id}`: the PIN in `{shown}`"))?;
            (pin, shown.to_string())
        }
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            (variable(id, name)?, name.to_owned())
        }
    };
    let pin = pin.trim_end_matches(['\r', '\n']);
    ensure!(!pin.is_empty(), "key `{id}`: the PIN in `{place}` is empty");
    Ok(Pkcs11Key {
        module: pkcs11.module.clone(),
        token: match (&pkcs11.token, pkcs11.slot) {
            (None, Some(slot)) => Pkcs11Token::Slot(slot),
            (label, _) => Pkcs11Token::Label(label.clone().unwrap_or_default()),
        },
        label: pkcs11.key.clone(),
        pin: Pkcs11Pin::new(pin),
    })
}

/// An environment variable that a key needs.
pub(crate) fn variable(id: &str, name: &str) -> anyhow::Result<String> {
    #[expect(clippy::disallowed_methods, reason = "the binary may read the environment")]
    let value = std::env::var(name);
    value.with_context(|| format!("key `{id}`: the variable {name}"))
}
