//! `longtide doctor`: what is weak in a configuration, and when its certificates end.

mod certificates;
mod keys;
mod modes;
mod settings;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use environment::Environment;
use serde::Serialize;

use crate::{configured, output};

/// Tell every weakness of a configuration, and when its certificates end. Fails when there is a
/// weakness.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The configuration; without one, that of a server without any.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How it is told.
    #[arg(long, short, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Diagnosis {
    findings: Vec<Finding>,
    certificates: Vec<certificates::Certificate>,
    notes: Vec<String>,
}

/// A weakness.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    severity: Severity,
    /// The setting, file or thing that is weak.
    place: String,
    /// What that means.
    text: String,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// Strangers may read or change something.
    High,
    /// It takes one more mistake.
    Medium,
    /// It could be better.
    Low,
}

impl Diagnosis {
    fn find(&mut self, severity: Severity, place: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding { severity, place: place.into(), text: text.into() });
    }
}

/// Runs the command.
pub(crate) fn run(options: &Doctor) -> anyhow::Result<()> {
    let mut diagnosis = match &options.config {
        None => without_a_configuration(),
        Some(file) => diagnose(file)?,
    };
    diagnosis.findings.sort_by_key(|finding| finding.severity);
    match options.output {
        Format::Json => output::line(&serde_json::to_string_pretty(&diagnosis)?),
        Format::Text => lines(&diagnosis).iter().for_each(|line| output::line(line)),
    }
    let count = diagnosis.findings.len();
    anyhow::ensure!(count == 0, "{count} weaknesses");
    Ok(())
}

/// A server without a configuration is a development server.
fn without_a_configuration() -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    diagnosis.notes.push(
        "without a configuration there is only a development server, on loopback: whoever is on \
         this machine may do everything. `longtide server init` makes a configuration"
            .to_owned(),
    );
    diagnosis
}

fn diagnose(file: &Path) -> anyhow::Result<Diagnosis> {
    let settings = configured::read(file)?;
    let environment = Environment::system();
    let mut diagnosis = Diagnosis::default();
    settings::check(&settings, &mut diagnosis);
    modes::check(file, &settings, &mut diagnosis);
    certificates::check(&settings, environment.clock.now(), &mut diagnosis);
    keys::check(file, &settings, &environment, &mut diagnosis)?;
    Ok(diagnosis)
}

fn lines(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = Vec::new();
    for Finding { severity, place, text } in &diagnosis.findings {
        let severity = match severity {
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        };
        lines.push(format!("{severity:<8}{place}: {text}"));
    }
    for certificate in &diagnosis.certificates {
        lines.push(certificate.to_string());
    }
    lines.extend(diagnosis.notes.iter().map(|note| format!("note: {note}")));
    if diagnosis.findings.is_empty() {
        lines.push("no weakness was found".to_owned());
    }
    lines
}
