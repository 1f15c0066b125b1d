//! `longtide codec-server`: payload codecs over HTTP.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, anyhow, bail};
use audit::AuditLog;
use clap::Args;
use codec_server::{Access, CodecServer, Origins, Rights, Settings};
use config::{CodecCompression, CodecFormat, CodecKeys, CodecToken};
use environment::Environment;
use listener::{Limits, Listener, Protocols, RateLimit};
use longtide_codec::{
    Chain, Codec, Compression, Encryption, EnvelopeEncryption, KeyRing, RequireEncryption,
    TokenKeys, read_key_file, read_key_text,
};
use telemetry::{Metrics, start_logging};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    auditing, codec_authority::AskedServer, output, remote, security::Security, stop::StopSignals,
    tokens,
};

/// Encode and decode payloads for command-line tools and browsers.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
}

/// Runs a codec server until a signal ends it.
pub(crate) fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let file = &arguments.config;
    let settings = config::codec_server_from_file(file, variable)
        .with_context(|| format!("in {}", file.display()))?;
    start_logging(settings.log.level.parse()?, settings.log.format.parse()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: config::CodecServer) -> anyhow::Result<()> {
    let signals = StopSignals::catch().context("signals cannot be caught")?;
    let stop = CancellationToken::new();
    let environment = Environment::system();
    let security = Security::of(&settings.global)?;
    let codec = codec(&settings.keys, settings.format, settings.compression).await?;
    let codec = if settings.require_encryption { strict(codec) } else { codec };
    let encryption = security.encryption(&environment, &stop)?;
    let access = match security.tokens(&environment, &stop).await.context("global.authorization")? {
        None => Access::Everybody,
        Some(authenticator) => {
            let rights = Rights::new(authenticator);
            Access::Rights(match &settings.server {
                None => rights,
                Some(server) => {
                    let tree = &settings.global.tls;
                    let channel = remote::channel(server, tree, &environment, &stop);
                    let channel = channel.context("server")?;
                    rights.with_api_keys(Arc::new(AskedServer::new(channel)))
                }
            })
        }
    };
    let origins = Origins::new(settings.allowed_origins.iter().cloned());
    let origins = origins.map_err(|error| anyhow!("allowed_origins: {error}"))?;
    let limits = Settings {
        body_bytes_max: settings.body_bytes_max,
        rate: RateLimit::unless_zero(settings.requests_per_second),
        ..Settings::default()
    };
    let audit_log = auditing::of(settings.audit.as_ref())?
        .map(|audit| {
            AuditLog::open(audit, &environment, Metrics::new()?.audit().clone())
                .map_err(anyhow::Error::from)
        })
        .transpose()?;
    let address = settings.listen;
    let tcp = TcpListener::bind(address).await;
    let tcp = tcp.with_context(|| format!("cannot listen on {address}"))?;
    let scheme = encryption.http_scheme();
    output::line(&format!("The codec server listens on {scheme}://{}", tcp.local_addr()?));
    if matches!(access, Access::Everybody) && !address.ip().is_loopback() {
        output::warning(&format!(
            "LISTENING ON {address} WITHOUT IDENTITIES: whoever reaches the port may decode \
             everything"
        ));
    }
    let listener = encryption.protect(Listener::plain(tcp, Limits::default()), Protocols::Http1);
    let watching = tokio::spawn(signals.watch(stop.clone()));
    let server = CodecServer::new(codec, access, origins, limits).audited(audit_log.clone());
    server.serve(listener, stop).await;
    if let Some(log) = audit_log {
        log.close().await;
    }
    watching.abort();
    Ok(())
}

/// What payloads go through, the codec nearest to the server first. Tokens are asked whether they do
/// their work.
pub(crate) async fn codec(
    keys: &CodecKeys,
    format: CodecFormat,
    compression: CodecCompression,
) -> anyhow::Result<Arc<dyn Codec>> {
    let ring = read_keys(keys)?;
    let encryption = match (format, ring) {
        (_, ring) if !keys.tokens.is_empty() => Chain::of(on_tokens(keys, ring.as_ref()).await?),
        (CodecFormat::Samples, Some(ring)) => Chain::of(Encryption::new(&ring)?),
        (CodecFormat::Envelope, Some(ring)) => Chain::of(EnvelopeEncryption::new(&ring)?),
        (_, None) => bail!("keys: there are none"),
    };
    Ok(Arc::new(match compression {
        CodecCompression::None => encryption,
        CodecCompression::Zlib => encryption.after(Compression::zlib()),
        CodecCompression::Zstd => encryption.after(Compression::zstd()),
    }))
}

/// Envelopes whose data keys are wrapped by keys of tokens; former keys only decrypt.
async fn on_tokens(
    keys: &CodecKeys,
    former: Option<&KeyRing>,
) -> anyhow::Result<EnvelopeEncryption> {
    let mut tokens: Option<TokenKeys> = None;
    for CodecToken { id, pkcs11 } in &keys.tokens {
        let key = tokens::key(id, pkcs11)?;
        tokens = Some(match tokens {
            None => TokenKeys::new(id, key),
            Some(tokens) => tokens.with(id, key)?,
        });
    }
    let mut tokens = tokens.context("keys.tokens: there are none")?;
    if let Some(ring) = former {
        tokens = tokens.with_former(ring)?;
    }
    tokens.check().await.context("keys.tokens")?;
    let envelopes = EnvelopeEncryption::with_service(Arc::new(tokens));
    Ok(match former {
        Some(ring) => envelopes.and_samples(ring)?,
        None => envelopes,
    })
}

/// The same, which does not show what is not encrypted.
fn strict(codec: Arc<dyn Codec>) -> Arc<dyn Codec> {
    Arc::new(Chain::of(RequireEncryption::new().except("binary/null")).after(codec))
}

/// The keys of a file or a variable, if the settings name one.
fn read_keys(keys: &CodecKeys) -> anyhow::Result<Option<KeyRing>> {
    if let Some(file) = &keys.file {
        return Ok(Some(read_key_file(file).context("keys.file")?));
    }
    let Some(name) = &keys.environment else { return Ok(None) };
    let text = variable(name).with_context(|| format!("the variable {name} is not set"))?;
    Ok(Some(read_key_text(&text).with_context(|| format!("the variable {name}"))?))
}

#[expect(clippy::disallowed_methods, reason = "the configuration names the variables")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
