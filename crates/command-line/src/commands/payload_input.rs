//! Payloads on the command line.

use std::{collections::BTreeMap, fs, path::PathBuf};

use api::common::v1::{Header, Payload, Payloads};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use clap::Args;
use serde::de::IgnoredAny;

use crate::{
    error::{Error, Result},
    values,
};

/// Arguments of a workflow, a signal, a query or an update.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct PayloadInput {
    /// An argument, as JSON unless `--input-meta` says otherwise. May be repeated.
    #[arg(long, short = 'i', value_name = "JSON", allow_hyphen_values = true)]
    input: Vec<String>,
    /// File with an argument. May be repeated.
    #[arg(long, value_name = "PATH", conflicts_with = "input")]
    input_file: Vec<PathBuf>,
    /// Metadata of the arguments; repeated for the same key, it goes to one argument after the
    /// other.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::pair)]
    input_meta: Vec<(String, String)>,
    /// The arguments are in base64.
    #[arg(long)]
    input_base64: bool,
}

impl PayloadInput {
    /// The arguments as payloads.
    pub(crate) fn payloads(&self) -> Result<Payloads> {
        payloads(&self.input, &self.input_file, &self.input_meta, self.input_base64)
    }

    /// The arguments as payloads; none when there are none.
    pub(crate) fn some_payloads(&self) -> Result<Option<Payloads>> {
        Ok(Some(self.payloads()?).filter(|payloads| !payloads.payloads.is_empty()))
    }
}

/// Makes payloads of arguments.
pub(crate) fn payloads(
    texts: &[String],
    files: &[PathBuf],
    meta: &[(String, String)],
    base64: bool,
) -> Result<Payloads> {
    let mut inputs: Vec<Vec<u8>> = texts.iter().map(|text| text.clone().into_bytes()).collect();
    for path in files {
        let read = fs::read(path);
        inputs.push(read.map_err(|source| Error::File { path: path.clone(), source })?);
    }
    let mut metadata = BTreeMap::<&str, Vec<&str>>::new();
    for (key, value) in meta {
        metadata.entry(key).or_default().push(value);
    }
    metadata.entry("encoding").or_insert_with(|| vec!["json/plain"]);
    for (key, values) in &metadata {
        if values.len() > inputs.len().max(1) {
            return Err(Error::usage(format!(
                "more --input-meta of `{key}` than there are inputs"
            )));
        }
    }
    let inputs = inputs.into_iter().enumerate();
    let payloads = inputs.map(|(index, input)| payload(index, input, &metadata, base64));
    Ok(Payloads { payloads: payloads.collect::<Result<_>>()? })
}

fn payload(
    index: usize,
    input: Vec<u8>,
    metadata: &BTreeMap<&str, Vec<&str>>,
    base64: bool,
) -> Result<Payload> {
    let number = index + 1;
    let mut mine = BTreeMap::new();
    for (key, values) in metadata {
        let Some(value) = values.get(index).or(values.first()) else { continue };
        let is_json = *key == "encoding" && value.starts_with("json/");
        if is_json && !base64 && serde_json::from_slice::<IgnoredAny>(&input).is_err() {
            return Err(Error::usage(format!("input #{number} is not valid JSON")));
        }
        mine.insert((*key).to_owned(), Bytes::from((*value).to_owned()));
    }
    let data = if base64 {
        BASE64_STANDARD
            .decode(input.trim_ascii())
            .map_err(|_| Error::usage(format!("input #{number} is not valid base64")))?
    } else {
        input
    };
    Ok(Payload { metadata: mine, data: data.into(), ..Payload::default() })
}

/// Headers of the command line; none when there are none.
pub(crate) fn header(pairs: &[(String, Payload)]) -> Option<Header> {
    (!pairs.is_empty()).then(|| some_header(pairs))
}

/// Headers of the command line, for what SDKs never send without.
pub(crate) fn some_header(pairs: &[(String, Payload)]) -> Header {
    Header { fields: pairs.iter().cloned().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(texts: &[&str], meta: &[(&str, &str)], base64: bool) -> Result<Vec<Payload>> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let meta: Vec<_> =
            meta.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Ok(payloads(&texts, &[], &meta, base64)?.payloads)
    }

    #[test]
    fn inputs_are_json_unless_told_otherwise() {
        let made = input(&["1", "{}"], &[], false).unwrap();
        assert_eq!(made.len(), 2);
        assert_eq!(&made[1].metadata["encoding"][..], b"json/plain");
        assert!(input(&["x"], &[], false).unwrap_err().to_string().contains("#1"));
        let made = input(&["x"], &[("encoding", "binary/plain")], false).unwrap();
        assert_eq!(&made[0].data[..], b"x");
    }

    #[test]
    fn metadata_goes_to_one_input_after_the_other() {
        let meta = [("encoding", "json/plain"), ("encoding", "binary/plain"), ("a", "b")];
        let made = input(&["1", "x"], &meta, false).unwrap();
        assert_eq!(&made[0].metadata["encoding"][..], b"json/plain");
        assert_eq!(&made[1].metadata["encoding"][..], b"binary/plain");
        assert_eq!(&made[1].metadata["a"][..], b"b");
        assert!(input(&["1"], &meta, false).is_err());
    }

    #[test]
    fn base64_is_decoded() {
        let made = input(&["eA=="], &[("encoding", "binary/plain")], true).unwrap();
        assert_eq!(&made[0].data[..], b"x");
        assert!(input(&["?"], &[], true).is_err());
    }
}
