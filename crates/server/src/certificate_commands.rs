//! `longtide auth certificate`: certificates of clients, issued by the server's own authority.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use certificate_authority::{Purpose, Subject};
use clap::{Args, Subcommand};
use environment::Environment;
use model::Span;

use crate::{
    authorities::{Authorities, Role},
    configured, files, output,
};

/// What is done with certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Issue a certificate of a client, with a key of its own.
    Create(Create),
}

/// See [`CertificateCommand::Create`].
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Where it goes: PREFIX.pem, and PREFIX.key for its key.
    #[arg(value_name = "PREFIX")]
    prefix: String,
    /// The configuration that `longtide server init` made.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose it is: the name in events, logs and lists.
    #[arg(long)]
    name: String,
    /// What it may do: an organizational unit of the rules in `clientCertificates`, such as workers.
    #[arg(long)]
    group: String,
    /// How long it holds.
    #[arg(long, default_value = "90d")]
    validity: humantime::Duration,
}

/// Runs a command.
pub(crate) fn run(command: CertificateCommand) -> anyhow::Result<()> {
    let CertificateCommand::Create(create) = command;
    let settings = configured::read(&create.config)?;
    let directory = &settings.certificates.authority_directory;
    ensure!(!directory.is_empty(), "the configuration has no certificates.authority_directory");
    let rules = settings.global.authorization.iter().flat_map(|it| &it.client_certificates);
    let groups: Vec<&str> = rules.map(|rule| rule.organizational_unit.as_str()).collect();
    ensure!(
        groups.iter().any(|group| group.eq_ignore_ascii_case(&create.group)),
        "no rule of clientCertificates speaks of `{}`; there are: {}",
        create.group,
        groups.join(", ")
    );
    let environment = Environment::system();
    let subject = Subject {
        common_name: create.name,
        organization: "Longtide".to_owned(),
        organizational_unit: create.group,
        names: Vec::new(),
    };
    let validity = Span::from(*create.validity);
    let authority = Authorities::at(&PathBuf::from(directory)).open(Role::Client)?;
    let issued = authority
        .issue(
            Purpose::Client,
            &subject,
            environment.clock.now(),
            validity,
            environment.entropy.as_ref(),
        )
        .context("the certificate")?;
    let (certificate, key) = (format!("{}.pem", create.prefix), format!("{}.key", create.prefix));
    files::write_new(&PathBuf::from(&key), &issued.key)?;
    files::write_new(&PathBuf::from(&certificate), &issued.certificate)?;
    output::line(&format!("{certificate}, and its key in {key}"));
    Ok(())
}
