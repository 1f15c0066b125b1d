//! Profiles: what a TOML file and environment variables say about a server. Temporal's SDKs read
//! the same file and the same variables.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    Surroundings,
    error::{Error, Result},
    options::CommonOptions,
};

/// The profile that is used when none is named.
const DEFAULT: &str = "default";

/// A file of profiles.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProfileFile {
    #[serde(default, rename = "profile")]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// What is known about a server.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<TlsProfile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) codec: Option<CodecProfile>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) grpc_meta: BTreeMap<String, String>,
}

/// How connections are encrypted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TlsProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_cert_path: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_cert_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_key_path: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_key_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_ca_cert_path: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_ca_cert_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disable_host_verification: Option<bool>,
}

/// Who encodes and decodes payloads.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodecProfile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) auth: Option<String>,
}

/// The file's place, and whether somebody named it.
fn place(options: &CommonOptions, around: &Surroundings) -> (Option<PathBuf>, bool) {
    let named = options
        .config_file
        .clone()
        .or_else(|| around.variable("TEMPORAL_CONFIG_FILE").map(PathBuf::from));
    match named {
        Some(path) => (Some(path), true),
        None => (around.configuration_directory().map(|path| path.join("temporal.toml")), false),
    }
}

/// The profile's name, and whether somebody named it.
pub(crate) fn name(options: &CommonOptions, around: &Surroundings) -> (String, bool) {
    let named = options
        .profile
        .clone()
        .or_else(|| around.variable("TEMPORAL_PROFILE").map(ToOwned::to_owned));
    let explicit = named.is_some();
    (named.unwrap_or_else(|| DEFAULT.to_owned()), explicit)
}

/// Reads the file; one that is missing, and that nobody named, is empty.
fn read(options: &CommonOptions, around: &Surroundings) -> Result<ProfileFile> {
    let (path, named) = place(options, around);
    read_from(path, named)
}

/// Reads the file to change it; one that is missing is empty.
pub(crate) fn read_or_begin(options: &CommonOptions, around: &Surroundings) -> Result<ProfileFile> {
    let (path, _) = place(options, around);
    read_from(path, false)
}

fn read_from(path: Option<PathBuf>, named: bool) -> Result<ProfileFile> {
    let Some(path) = path else { return Ok(ProfileFile::default()) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => {
            return Ok(ProfileFile::default());
        }
        Err(source) => return Err(Error::File { path, source }),
    };
    toml::from_str(&text)
        .map_err(|error| Error::usage(format!("`{}`: {}", path.display(), error.message())))
}

/// Writes the file, readable by its owner only: it holds keys.
pub(crate) fn write(
    file: &ProfileFile,
    options: &CommonOptions,
    around: &Surroundings,
) -> Result<PathBuf> {
    let (path, _) = place(options, around);
    let path = path.ok_or_else(|| Error::usage("no home directory; name a --config-file"))?;
    let text = toml::to_string_pretty(file).map_err(|error| Error::usage(error.to_string()))?;
    let failed = |source| Error::File { path: path.clone(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    crate::private_file::write(&path, text.as_bytes()).map_err(failed)?;
    Ok(path)
}

/// The profile that the options choose, with the variables on top.
pub(crate) fn load(options: &CommonOptions, around: &Surroundings) -> Result<Profile> {
    let mut profile = Profile::default();
    if !options.disable_config_file {
        let (name, named) = name(options, around);
        let mut file = read(options, around)?;
        match file.profiles.remove(&name) {
            Some(found) => profile = found,
            None if named => return Err(Error::usage(format!("there is no profile `{name}`"))),
            None => {}
        }
    }
    if !options.disable_config_env {
        profile.take_variables(around)?;
    }
    Ok(profile)
}

impl Profile {
    /// Puts what variables say over what the file says.
    fn take_variables(&mut self, around: &Surroundings) -> Result {
        take(&mut self.address, around, "TEMPORAL_ADDRESS");
        take(&mut self.namespace, around, "TEMPORAL_NAMESPACE");
        take(&mut self.api_key, around, "TEMPORAL_API_KEY");

        let mut tls = self.tls.clone().unwrap_or_default();
        let before = self.tls.clone();
        if let Some(on) = truth(around, "TEMPORAL_TLS")? {
            tls.disabled = Some(!on);
        }
        // The second name of each is the one of old versions, and the stronger one.
        for suffix in ["CLIENT_", ""] {
            let name = |rest: &str| format!("TEMPORAL_TLS_{suffix}{rest}");
            let old = suffix.is_empty();
            take_path(
                &mut tls.client_cert_path,
                around,
                &name(if old { "CERT" } else { "CERT_PATH" }),
            );
            take(&mut tls.client_cert_data, around, &name("CERT_DATA"));
            take_path(
                &mut tls.client_key_path,
                around,
                &name(if old { "KEY" } else { "KEY_PATH" }),
            );
            take(&mut tls.client_key_data, around, &name("KEY_DATA"));
        }
        take_path(&mut tls.server_ca_cert_path, around, "TEMPORAL_TLS_SERVER_CA_CERT_PATH");
        take_path(&mut tls.server_ca_cert_path, around, "TEMPORAL_TLS_CA");
        take(&mut tls.server_ca_cert_data, around, "TEMPORAL_TLS_SERVER_CA_CERT_DATA");
        take(&mut tls.server_ca_cert_data, around, "TEMPORAL_TLS_CA_DATA");
        take(&mut tls.server_name, around, "TEMPORAL_TLS_SERVER_NAME");
        if let Some(off) = truth(around, "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION")? {
            tls.disable_host_verification = Some(off);
        }
        if before.is_some() || tls != TlsProfile::default() {
            self.tls = Some(tls);
        }

        let mut codec = self.codec.clone().unwrap_or_default();
        take(&mut codec.endpoint, around, "TEMPORAL_CODEC_ENDPOINT");
        take(&mut codec.auth, around, "TEMPORAL_CODEC_AUTH");
        if codec != CodecProfile::default() {
            self.codec = Some(codec);
        }

        for (name, value) in around.variables() {
            if let Some(key) = name.strip_prefix("TEMPORAL_GRPC_META_") {
                let key = key.to_lowercase().replace('_', "-");
                if value.is_empty() {
                    self.grpc_meta.remove(&key);
                } else {
                    self.grpc_meta.insert(key, value.to_owned());
                }
            }
        }
        Ok(())
    }
}

fn take(field: &mut Option<String>, around: &Surroundings, name: &str) {
    if let Some(value) = around.variable(name) {
        *field = Some(value.to_owned());
    }
}

fn take_path(field: &mut Option<PathBuf>, around: &Surroundings, name: &str) {
    if let Some(value) = around.variable(name) {
        *field = Some(PathBuf::from(value));
    }
}

fn truth(around: &Surroundings, name: &str) -> Result<Option<bool>> {
    match around.variable(name).map(str::to_lowercase).as_deref() {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(other) => {
            Err(Error::usage(format!("{name} is `{other}`, which is neither true nor false")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(pairs: &[(&str, &str)]) -> Surroundings {
        Surroundings::of(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_variable_is_stronger_than_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("profiles.toml");
        fs::write(
            &path,
            "[profile.blue]\naddress = \"file:1\"\nnamespace = \"file\"\n\
             [profile.blue.tls]\nserver_name = \"x\"\n[profile.blue.grpc_meta]\na = \"1\"\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let around = around(&[
            ("TEMPORAL_CONFIG_FILE", path),
            ("TEMPORAL_PROFILE", "blue"),
            ("TEMPORAL_NAMESPACE", "variable"),
            ("TEMPORAL_GRPC_META_SOME_KEY", "2"),
        ]);
        let profile = load(&CommonOptions::default(), &around).unwrap();
        assert_eq!(profile.address.as_deref(), Some("file:1"));
        assert_eq!(profile.namespace.as_deref(), Some("variable"));
        assert_eq!(profile.tls.unwrap().server_name.as_deref(), Some("x"));
        assert_eq!(profile.grpc_meta.len(), 2);
        assert_eq!(profile.grpc_meta["some-key"], "2");
    }

    #[test]
    fn a_profile_that_was_named_must_be_there() {
        let around = around(&[("TEMPORAL_PROFILE", "red")]);
        let error = load(&CommonOptions::default(), &around).unwrap_err();
        assert_eq!(error.to_string(), "there is no profile `red`");
        assert!(load(&CommonOptions::default(), &Surroundings::of([])).is_ok());
    }

    #[test]
    fn a_file_is_written_as_it_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let options = CommonOptions {
            config_file: Some(directory.path().join("new/profiles.toml")),
            ..CommonOptions::default()
        };
        let around = Surroundings::of([]);
        let mut file = ProfileFile::default();
        let tls = TlsProfile { disabled: Some(true), ..TlsProfile::default() };
        let profile =
            Profile { address: Some("a:1".to_owned()), tls: Some(tls), ..Profile::default() };
        file.profiles.insert("default".to_owned(), profile);
        write(&file, &options, &around).unwrap();
        assert_eq!(read(&options, &around).unwrap(), file);
    }
}
