//! Logging.

use std::{io, str::FromStr};

use tracing_subscriber::EnvFilter;

/// The least severe level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Per request.
    Debug,
    /// Changes of the server's state.
    #[default]
    Info,
    /// Something is degraded and heals itself.
    Warn,
    /// Somebody must act.
    Error,
    /// Nothing at all.
    Never,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The text names no level or format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown log {what} `{value}`: expected one of {expected}")]
pub struct UnknownLogSetting {
    what: &'static str,
    value: String,
    expected: &'static str,
}

/// Logging was started before.
#[derive(Debug, thiserror::Error)]
#[error("logging was started twice")]
pub struct LogError;

impl FromStr for LogLevel {
    type Err = UnknownLogSetting;

    fn from_str(text: &str) -> Result<Self, UnknownLogSetting> {
        match text {
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            "never" => Ok(Self::Never),
            _ => Err(UnknownLogSetting {
                what: "level",
                value: text.to_owned(),
                expected: "debug, info, warn, error, never",
            }),
        }
    }
}

impl FromStr for LogFormat {
    type Err = UnknownLogSetting;

    fn from_str(text: &str) -> Result<Self, UnknownLogSetting> {
        match text {
            "text" | "pretty" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownLogSetting {
                what: "format",
                value: text.to_owned(),
                expected: "text, json",
            }),
        }
    }
}

impl LogLevel {
    /// Our own crates at this level; the libraries below us never above warnings.
    fn filter(self) -> EnvFilter {
        const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn,\
                             fjall=warn,lsm_tree=warn";
        EnvFilter::new(match self {
            Self::Debug => format!("debug,{QUIET}"),
            Self::Info => format!("info,{QUIET}"),
            Self::Warn => "warn".to_owned(),
            Self::Error => "error".to_owned(),
            Self::Never => "off".to_owned(),
        })
    }
}

/// Starts logging to standard error, for the whole process.
///
/// # Errors
/// When logging was started before.
pub fn start_logging(level: LogLevel, format: LogFormat) -> Result<(), LogError> {
    let logs = tracing_subscriber::fmt().with_env_filter(level.filter()).with_writer(io::stderr);
    match format {
        LogFormat::Text => logs.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    }
    .map_err(|_| LogError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_reference_are_understood() {
        assert_eq!("never".parse(), Ok(LogLevel::Never));
        assert_eq!("pretty".parse(), Ok(LogFormat::Text));
        assert_eq!(
            "loud".parse::<LogLevel>().unwrap_err().to_string(),
            "unknown log level `loud`: expected one of debug, info, warn, error, never"
        );
    }

    #[test]
    fn every_filter_is_valid_and_levels_nest() {
        let hints: Vec<_> =
            [LogLevel::Never, LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug]
                .map(|level| level.filter().max_level_hint().unwrap())
                .into();
        assert!(hints.is_sorted());
    }
}
