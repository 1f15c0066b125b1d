//! The settings of a connection: options over variables over the profile over defaults.

use std::{collections::BTreeMap, path::Path};

use crate::{
    Surroundings,
    error::{Error, Result},
    options::Options,
    profile::{self, Profile, TlsProfile},
};

/// Where a server is looked for when nobody says.
const ADDRESS: &str = "localhost:7233";
/// What stands for the namespace in an address.
const NAMESPACE_IN_ADDRESS: &str = "${namespace}";
/// What stands for the namespace in the codec server's address.
const NAMESPACE_IN_ENDPOINT: &str = "{namespace}";

/// All that a connection needs.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) address: String,
    pub(crate) namespace: String,
    pub(crate) identity: String,
    pub(crate) api_key: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tls: Option<Tls>,
    pub(crate) codec: Option<CodecSettings>,
    /// The profile's name.
    pub(crate) profile: String,
    /// Whether a login counts, when nothing else says who asks.
    pub(crate) takes_login: bool,
}

/// How a connection is encrypted.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tls {
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) server_name: Option<String>,
    /// Whether it does not matter who the server is.
    pub(crate) anybody: bool,
}

/// The codec server.
#[derive(Debug, Default, Clone)]
pub(crate) struct CodecSettings {
    pub(crate) endpoint: String,
    pub(crate) authorization: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Settings {
    /// Puts together what options, variables and files say.
    pub(crate) fn gather(options: &Options, around: &Surroundings) -> Result<Self> {
        let client = &options.client;
        let mut profile = profile::load(&options.common, around)?;
        let namespace = client.namespace.clone().or(profile.namespace.take());
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let address = client.address.clone().or(profile.address.take());
        let address = address.unwrap_or_else(|| ADDRESS.to_owned());
        let api_key = client.api_key.clone().or(profile.api_key.take());
        let mut metadata = profile.grpc_meta.clone();
        metadata.extend(client.grpc_meta.iter().cloned());
        let tls = tls(options, &mut profile, api_key.is_some())?;
        let codec = codec(options, &mut profile, &namespace)?;
        let identity = client.identity.clone();
        Ok(Self {
            address: address.replace(NAMESPACE_IN_ADDRESS, &namespace),
            identity: identity.unwrap_or_else(|| default_identity(around)),
            authority: client.client_authority.clone().or(profile.authority),
            namespace,
            profile: profile::name(&options.common, around).0,
            takes_login: !options.common.disable_config_file,
            api_key,
            metadata,
            tls,
            codec,
        })
    }
}

impl Settings {
    /// True when a header says who asks.
    pub(crate) fn has_authorization(&self) -> bool {
        let named = |key: &String| key.eq_ignore_ascii_case("authorization");
        self.api_key.is_some() || self.metadata.keys().any(named)
    }

    /// True when a header or a certificate says who asks.
    pub(crate) fn says_who_asks(&self) -> bool {
        self.has_authorization() || self.tls.as_ref().is_some_and(|tls| tls.certificate.is_some())
    }
}

fn default_identity(around: &Surroundings) -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    format!("longtide-cli:{}@{host}", around.user())
}

fn tls(options: &Options, profile: &mut Profile, has_key: bool) -> Result<Option<Tls>> {
    let client = &options.client;
    let mut said = profile.tls.take();
    let anything = client.tls == Some(true)
        || client.tls_cert_path.is_some()
        || client.tls_cert_data.is_some()
        || client.tls_key_path.is_some()
        || client.tls_key_data.is_some()
        || client.tls_ca_path.is_some()
        || client.tls_ca_data.is_some()
        || client.tls_disable_host_verification;
    if anything {
        said.get_or_insert_default();
    }
    if client.tls == Some(false) {
        return Ok(None);
    }
    let said = match said {
        Some(said) if said.disabled == Some(true) && client.tls.is_none() => return Ok(None),
        Some(said) => said,
        None if has_key => TlsProfile::default(),
        None => return Ok(None),
    };
    let anybody =
        client.tls_disable_host_verification || said.disable_host_verification == Some(true);
    let certificate = material(
        client.tls_cert_path.as_deref(),
        client.tls_cert_data.as_deref(),
        said.client_cert_path.as_deref(),
        said.client_cert_data.as_deref(),
    )?;
    let key = material(
        client.tls_key_path.as_deref(),
        client.tls_key_data.as_deref(),
        said.client_key_path.as_deref(),
        said.client_key_data.as_deref(),
    )?;
    if certificate.is_some() != key.is_some() {
        return Err(Error::usage("a client certificate and its key are given together"));
    }
    let roots = material(
        client.tls_ca_path.as_deref(),
        client.tls_ca_data.as_deref(),
        said.server_ca_cert_path.as_deref(),
        said.server_ca_cert_data.as_deref(),
    )?;
    let server_name = client.tls_server_name.clone().or(said.server_name);
    Ok(Some(Tls { roots, certificate, key, server_name, anybody }))
}

/// The bytes of a certificate or a key. An option is stronger than the profile.
fn material(
    path: Option<&Path>,
    data: Option<&str>,
    profile_path: Option<&Path>,
    profile_data: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let (path, data) = match (path, data) {
        (None, None) => (profile_path, profile_data),
        given => given,
    };
    match (path, data) {
        (Some(path), Some(_)) => Err(Error::usage(format!(
            "`{}` is given as a file and as data: one is enough",
            path.display()
        ))),
        (None, Some(data)) => Ok(Some(data.as_bytes().to_vec())),
        (Some(path), None) => std::fs::read(path)
            .map(Some)
            .map_err(|source| Error::File { path: path.to_owned(), source }),
        (None, None) => Ok(None),
    }
}

fn codec(
    options: &Options,
    profile: &mut Profile,
    namespace: &str,
) -> Result<Option<CodecSettings>> {
    let client = &options.client;
    let said = profile.codec.take().unwrap_or_default();
    let Some(endpoint) = client.codec_endpoint.clone().or(said.endpoint) else { return Ok(None) };
    Ok(Some(CodecSettings {
        endpoint: endpoint.replace(NAMESPACE_IN_ENDPOINT, namespace),
        authorization: client.codec_auth.clone().or(said.auth),
        headers: client.codec_header.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(change: impl FnOnce(&mut Options)) -> Settings {
        let mut options = Options::default();
        change(&mut options);
        Settings::gather(&options, &Surroundings::of([])).unwrap()
    }

    #[test]
    fn defaults_need_no_settings() {
        let settings = gathered(|_| {});
        assert_eq!(settings.address, "localhost:7233");
        assert_eq!(settings.namespace, "default");
        assert!(settings.tls.is_none());
        assert!(settings.identity.starts_with("longtide-cli:unknown-user@"));
    }

    #[test]
    fn an_api_key_turns_encryption_on_unless_it_is_turned_off() {
        let key = |options: &mut Options| options.client.api_key = Some("k".to_owned());
        assert!(gathered(key).tls.is_some());
        let off = gathered(|options| {
            key(options);
            options.client.tls = Some(false);
        });
        assert!(off.tls.is_none());
    }

    #[test]
    fn the_namespace_completes_addresses() {
        let settings = gathered(|options| {
            options.client.namespace = Some("blue".to_owned());
            options.client.address = Some("${namespace}.example:7233".to_owned());
            options.client.codec_endpoint = Some("http://codec/{namespace}".to_owned());
        });
        assert_eq!(settings.address, "blue.example:7233");
        assert_eq!(settings.codec.unwrap().endpoint, "http://codec/blue");
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let mut options = Options::default();
        options.client.tls_cert_data = Some("x".to_owned());
        let error = Settings::gather(&options, &Surroundings::of([])).unwrap_err();
        assert!(error.to_string().contains("key"), "{error}");
    }
}
