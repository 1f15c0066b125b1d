//! Longtide from a configuration file: plain, or as `longtide server init` makes it, with tokens on
//! top.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::{
    client::{Access, Credentials},
    clock,
    server::{Launch, Server, free_ports},
};

/// How long the token holds: longer than any run.
const TOKEN_SECONDS: i64 = 24 * 3600;
/// More requests in a second than any server takes.
const LIMIT: u32 = 1_000_000;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A server in a directory of its own that was not started yet.
#[derive(Debug)]
pub struct Configured {
    executable: PathBuf,
    directory: TempDir,
    port: u16,
    metrics_port: u16,
}

impl Configured {
    /// In a new directory in `parent`.
    ///
    /// # Errors
    /// When there is no room for one.
    pub fn new(executable: &Path, parent: &Path) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("load-generator-")
            .tempdir_in(parent)
            .with_context(|| format!("cannot use {}", parent.display()))?;
        let [port, metrics_port] = free_ports()?;
        // It is started in another directory.
        let executable = executable.canonicalize().with_context(|| {
            format!("`{}`: build it with `cargo build --release`", executable.display())
        })?;
        Ok(Self { executable, directory, port, metrics_port })
    }

    /// Starts it without anything that secures it.
    ///
    /// # Errors
    /// When it does not serve.
    pub async fn plain(self) -> anyhow::Result<Server> {
        let text = format!(
            "data_directory: {}\nlisten: 127.0.0.1:{}\nhttp: {{ listen: \"\" }}\n\
             namespaces: [{{ name: default }}]\n",
            self.path("data").display(),
            self.port
        ) + &self.common();
        let file = self.path("longtide.yaml");
        fs::write(&file, text)?;
        let access = Access::plain(self.address());
        self.serving(&file, access).await
    }

    /// Starts it with mutual TLS, tokens, authorization, an audit log and encryption at rest.
    ///
    /// # Errors
    /// When `longtide server init` does not make what is expected, or the server does not serve.
    pub async fn secured(self) -> anyhow::Result<Server> {
        let init = self.path("longtide");
        let address = self.address();
        self.run(&[
            "server".as_ref(),
            "init".as_ref(),
            &init,
            "--listen".as_ref(),
            address.as_ref(),
        ])
        .await?;
        let file = init.join("longtide.yaml");
        let signer = Signer::new()?;
        let keys = self.path("keys.json");
        fs::write(&keys, json!({ "keys": [signer.public()] }).to_string())?;
        let text = fs::read_to_string(&file)?;
        let source = format!("file://{}", keys.display());
        let text = replaced(
            &text,
            "apiKeys: true\n",
            &format!("apiKeys: true\n    jwtKeyProvider: {{ keySourceURIs: [\"{source}\"] }}\n"),
        )?;
        let text = replaced(&text, "clientAuth: optional", "clientAuth: require")?;
        fs::write(&file, text + &self.common())?;
        let client = self.path("client");
        self.run(&[
            "auth".as_ref(),
            "certificate".as_ref(),
            "create".as_ref(),
            &client,
            "--config".as_ref(),
            &file,
            "--group".as_ref(),
            "users".as_ref(),
            "--name".as_ref(),
            "load-generator".as_ref(),
        ])
        .await?;
        let read = |path: PathBuf| {
            fs::read(&path).with_context(|| format!("`{}` was not made", path.display()))
        };
        let root = read(init.join("authority/server-ca.pem"))?;
        let certificate = read(client.with_extension("pem"))?;
        let key = read(client.with_extension("key"))?;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(root))
            .identity(Identity::from_pem(certificate, key))
            .domain_name("localhost");
        let token = format!("Bearer {}", signer.token()?).parse()?;
        let credentials = Some(Credentials { tls, token });
        self.serving(&file, Access { address, credentials }).await
    }

    /// What both have: limits that do not matter, as they are not what is measured.
    fn common(&self) -> String {
        format!(
            "metrics: {{ listen: \"127.0.0.1:{}\" }}\nlog: {{ level: error }}\nlimits: {{ \
             requests_per_second: {LIMIT}, visibility_per_second: {LIMIT}, \
             address_requests_per_second: 0 }}\n",
            self.metrics_port
        )
    }

    async fn serving(self, file: &Path, access: Access) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.executable);
        command.args(["server", "start", "--config"]).arg(file);
        let Self { directory, port, metrics_port, .. } = self;
        Launch { command, directory, access, port, metrics_port, trace: None }.serving().await
    }

    async fn run(&self, words: &[&Path]) -> anyhow::Result<()> {
        let done = Command::new(&self.executable).args(words).output().await;
        let done = done.with_context(|| format!("cannot run {}", self.executable.display()))?;
        let said = String::from_utf8_lossy(&done.stderr);
        anyhow::ensure!(done.status.success(), "{words:?}: {said}");
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// The text with another part, which has to be there once.
fn replaced(text: &str, part: &str, other: &str) -> anyhow::Result<String> {
    let found = text.matches(part).count();
    anyhow::ensure!(found == 1, "the configuration has `{part}` {found} times");
    Ok(text.replace(part, other))
}

/// Signs tokens.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Ok(Self(key.context("no key for tokens")?))
    }

    /// The public half, as issuers publish it.
    fn public(&self) -> Value {
        // The first byte says that two coordinates of one length follow.
        let point = self.0.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": "bench", "x": x, "y": y })
    }

    fn token(&self) -> anyhow::Result<String> {
        let now = clock::wall_nanos() / NANOS_PER_SECOND;
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "bench" });
        let claims = json!({
            "sub": "load-generator",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "permissions": ["default:write", "default:worker"],
        });
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.context("no signature for a token")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
