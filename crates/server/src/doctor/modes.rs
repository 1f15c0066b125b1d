//! Who may read files on this machine.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use config::Settings;

use super::{Diagnosis, Severity};
use crate::authorities::{Authorities, Role};

/// What a group may do, and what others may do.
const GROUP_OR_OTHERS: u32 = 0o077;

/// What lets others change a file.
const OTHERS_WRITE: u32 = 0o022;

pub(super) fn check(file: &Path, settings: &Settings, diagnosis: &mut Diagnosis) {
    let tls = &settings.global.tls.frontend;
    let mut secrets: Vec<PathBuf> = vec![settings.data_directory.clone()];
    let hosts = std::iter::once(&tls.server).chain(tls.host_overrides.values());
    secrets.extend(hosts.map(|host| PathBuf::from(&host.key_file)));
    if let Some(audit) = &settings.audit {
        secrets.extend([PathBuf::from(&audit.key_file), PathBuf::from(&audit.directory)]);
    }
    if let Some(at_rest) = &settings.encryption_at_rest {
        for key in &at_rest.keys {
            secrets.extend(key.file.clone());
            secrets.extend(key.vault_transit.as_ref().map(|vault| vault.token_file.clone()));
            secrets.extend(key.pkcs11.as_ref().and_then(|pkcs11| pkcs11.pin_file.clone()));
        }
    }
    if settings.certificates.is_enabled() {
        let authorities = Authorities::at(Path::new(&settings.certificates.authority_directory));
        secrets.extend([authorities.key(Role::Server), authorities.key(Role::Client)]);
    }
    for path in secrets.iter().filter(|path| !path.as_os_str().is_empty()) {
        let Some(mode) = mode(path) else { continue };
        if mode & GROUP_OR_OTHERS != 0 {
            diagnosis.find(
                Severity::High,
                path.display().to_string(),
                format!("others on this machine may read it (mode {:o})", mode & 0o777),
            );
        }
    }
    for path in std::iter::once(file.to_owned()).chain(policies(settings)) {
        let Some(mode) = mode(&path).filter(|mode| mode & OTHERS_WRITE != 0) else { continue };
        diagnosis.find(
            Severity::High,
            path.display().to_string(),
            format!("others on this machine may change it (mode {:o})", mode & 0o777),
        );
    }
}

/// The files of policies, and the directory that they are in.
fn policies(settings: &Settings) -> Vec<PathBuf> {
    let authorization = settings.global.authorization.as_ref();
    let Some(policies) = authorization.and_then(|it| it.policies.as_ref()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(policies.path()).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "cedar"));
    std::iter::once(policies.path().clone()).chain(files).collect()
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|data| data.permissions().mode())
}
