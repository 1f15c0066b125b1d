//! `longtide codec`: payloads by hand, and the keys that encrypt them.

use std::{
    io::{Read as _, stdin},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use config::{CodecCompression, CodecFormat, CodecKeys};
use longtide_codec::{Codec, Context as Place};
use serde_json::Value;

use crate::{codec_command, codec_json, codec_keys, output};

/// Largest text that is read, in bytes.
const INPUT_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum CodecCommand {
    /// Encrypt the payloads of a JSON text: one payload, several, or a whole history.
    Encode(Coding),
    /// Decrypt the payloads of a JSON text: one payload, several, or a whole history.
    Decode(Coding),
    /// The file of the keys.
    Keys {
        #[command(subcommand)]
        command: codec_keys::KeysCommand,
    },
}

/// What is encoded or decoded, and how.
#[derive(Debug, Args)]
pub(crate) struct Coding {
    /// The text, as `temporal workflow show --output json` prints it; standard input without one.
    input: Option<PathBuf>,
    /// The file of the keys.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["keys_environment", "config"])]
    keys: Option<PathBuf>,
    /// The name of an environment variable with the keys.
    #[arg(long, value_name = "NAME", conflicts_with = "keys")]
    keys_environment: Option<String>,
    /// The configuration of a codec server: its keys, those of tokens, too, and its formats.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keys", "keys_environment"])]
    config: Option<PathBuf>,
    /// How payloads are encrypted; all formats are decrypted.
    #[arg(long, default_value = "samples", conflicts_with = "config")]
    format: Format,
    /// How they are compressed before that.
    #[arg(long, default_value = "none", conflicts_with = "config")]
    compression: Compression,
    /// The namespace that the payloads belong to.
    #[arg(long, short = 'n', env = "TEMPORAL_NAMESPACE", default_value = "default")]
    namespace: String,
    /// The workflow, if they are bound to it.
    #[arg(long, short = 'w', default_value = "")]
    workflow_id: String,
    /// Print the values in payloads instead of the payloads, where they are JSON.
    #[arg(long)]
    values: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Samples,
    Envelope,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Compression {
    None,
    Zlib,
    Zstd,
}

/// Runs a command.
pub(crate) fn run(command: CodecCommand) -> anyhow::Result<()> {
    match command {
        CodecCommand::Keys { command } => codec_keys::run(command),
        CodecCommand::Encode(coding) => coding.run(true),
        CodecCommand::Decode(coding) => coding.run(false),
    }
}

impl Coding {
    fn run(self, encodes: bool) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let codec = runtime.block_on(self.codec())?;
        let mut json = read(self.input.as_deref())?;
        let place =
            Place { namespace: self.namespace.clone(), workflow_id: self.workflow_id.clone() };
        let payloads = codec_json::payloads(&json)?;
        if payloads.is_empty() {
            bail!("there is no payload in it, such as {{\"metadata\": …, \"data\": …}}");
        }
        let coded = if encodes {
            runtime.block_on(codec.encode(&place, payloads))?
        } else {
            runtime.block_on(codec.decode(&place, payloads))?
        };
        codec_json::replace(&mut json, coded)?;
        if !encodes {
            codec_json::tell_failures(&mut json);
        }
        if self.values {
            codec_json::show_values(&mut json);
        }
        output::line(&serde_json::to_string_pretty(&json)?);
        Ok(())
    }

    async fn codec(&self) -> anyhow::Result<Arc<dyn Codec>> {
        if let Some(file) = &self.config {
            let settings = config::codec_server_from_file(file, codec_command::variable)
                .with_context(|| format!("in {}", file.display()))?;
            let config::CodecServer { keys, format, compression, .. } = settings;
            return codec_command::codec(&keys, format, compression).await;
        }
        let keys = CodecKeys {
            file: self.keys.clone(),
            environment: self.keys_environment.clone(),
            tokens: Vec::new(),
        };
        let format = match self.format {
            Format::Samples => CodecFormat::Samples,
            Format::Envelope => CodecFormat::Envelope,
        };
        let compression = match self.compression {
            // Whatever is compressed is read.
            Compression::None => CodecCompression::None,
            Compression::Zlib => CodecCompression::Zlib,
            Compression::Zstd => CodecCompression::Zstd,
        };
        codec_command::codec(&keys, format, compression).await
    }
}

fn read(input: Option<&Path>) -> anyhow::Result<Value> {
    let mut text = String::new();
    match input {
        Some(file) => {
            let place = || format!("cannot read `{}`", file.display());
            let file = std::fs::File::open(file).with_context(place)?;
            file.take(INPUT_BYTES_MAX).read_to_string(&mut text).with_context(place)?;
        }
        None => {
            stdin().take(INPUT_BYTES_MAX).read_to_string(&mut text).context("standard input")?;
        }
    }
    // The error would quote what is in the text.
    serde_json::from_str(&text).map_err(|error| {
        anyhow::anyhow!("the input is not JSON: line {}, column {}", error.line(), error.column())
    })
}
