//! The file of logins, readable by its owner only.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use openid_connect::Tokens;
use serde::{Deserialize, Serialize};

use crate::{
    Surroundings,
    error::{Error, Result},
    private_file,
};

/// A login.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    pub(crate) issuer: String,
    pub(crate) token_endpoint: String,
    pub(crate) access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// When the access token ends, in seconds of Unix time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    /// Whether it goes over encrypted connections only.
    pub(crate) encrypted: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Login {
    /// Takes new tokens. A provider that sends no new token to renew with means the old one.
    pub(crate) fn take(&mut self, tokens: Tokens, now: i64) {
        self.access_token = tokens.access_token;
        self.expires_at = tokens.expires_in.map(|seconds| now.saturating_add(seconds));
        if tokens.refresh_token.is_some() {
            self.refresh_token = tokens.refresh_token;
        }
    }
}

/// All logins, by profile and address.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    logins: BTreeMap<String, BTreeMap<String, Login>>,
}

fn place(around: &Surroundings) -> Option<PathBuf> {
    Some(around.configuration_directory()?.join("longtide-logins.json"))
}

impl Kept {
    /// Reads the file; one that is missing is empty.
    pub(crate) fn read(around: &Surroundings) -> Result<Self> {
        let Some(path) = place(around) else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::File { path, source }),
        };
        serde_json::from_str(&text)
            .map_err(|error| Error::usage(format!("`{}`: {error}", path.display())))
    }

    /// Writes the file whole, or not at all.
    pub(crate) fn write(&self, around: &Surroundings) -> Result {
        let path = place(around)
            .ok_or_else(|| Error::usage("no home directory: there is no place for logins"))?;
        let failed = |source| Error::File { path: path.clone(), source };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::usage(error.to_string()))?;
        let new = path.with_extension("json.new");
        private_file::write(&new, text.as_bytes()).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)
    }

    pub(crate) fn get(&self, profile: &str, address: &str) -> Option<&Login> {
        self.logins.get(profile)?.get(address)
    }

    pub(crate) fn put(&mut self, profile: &str, address: &str, login: Login) {
        self.logins.entry(profile.to_owned()).or_default().insert(address.to_owned(), login);
    }

    /// Forgets a login; none when there was none.
    pub(crate) fn remove(&mut self, profile: &str, address: &str) -> Option<Login> {
        let of_profile = self.logins.get_mut(profile)?;
        let login = of_profile.remove(address);
        if of_profile.is_empty() {
            self.logins.remove(profile);
        }
        login
    }
}
