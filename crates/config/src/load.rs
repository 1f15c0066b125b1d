//! From a file to settings.

use std::{fs, path::Path};

use serde_norway::Value;

use crate::{ConfigError, Settings, substitute::substitute};

/// Reads and checks a file; `lookup` gives the values of environment variables.
///
/// # Errors
/// When the file cannot be read or anything in it is wrong.
pub fn from_file(
    path: &Path,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    from_text(&text, lookup)
}

/// Reads and checks a text.
///
/// # Errors
/// When anything in it is wrong.
pub fn from_text(
    text: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let settings: Settings = if text.contains('$') {
        let document: Value = serde_norway::from_str(text)?;
        serde_norway::from_value(substitute(document, &lookup)?)?
    } else {
        // Read at once, errors say in which line they are.
        serde_norway::from_str(text)?
    };
    let problems = settings.problems();
    if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all_settings;

    fn read(text: &str) -> Result<Settings, String> {
        from_text(text, |name| (name == "PORT").then(|| "7000".to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_with_a_directory_is_enough() {
        let settings = read("data_directory: /var/lib/longtide").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7233");
        assert_eq!(settings.limits.requests_per_second, 2400);
        assert!(settings.namespaces.is_empty());
    }

    #[test]
    fn everything_can_be_set() {
        let settings = read(
            "data_directory: data\n\
             listen: 127.0.0.1:${PORT}\n\
             namespaces: [{ name: shop, retention: 3d }]\n\
             log: { level: warn, format: text }\n\
             http: { listen: '' }\n\
             nexus: { allowed_addresses: [{ pattern: '*.example.com' }] }\n\
             metrics: { listen: '127.0.0.1:9090' }\n\
             limits: { long_polls: 5 }\n\
             cache: { runs_bytes: 1048576 }\n",
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 7000);
        assert_eq!(settings.namespaces[0].retention.0.as_secs(), 3 * 86_400);
        assert_eq!(settings.limits.long_polls, 5);
    }

    #[test]
    fn unknown_keys_are_errors_with_their_line() {
        let error = read("data_directory: d\nlisen: 127.0.0.1:1\n").unwrap_err();
        assert!(error.contains("lisen") && error.contains("line 2"), "{error}");
        let error = read("data_directory: d\nlimits: { long_pols: 1 }\n").unwrap_err();
        assert!(error.contains("long_pols"), "{error}");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let error = read(
            "data_directory: d\nlisten: 0.0.0.0:7233\nlimits: { long_polls: 0 }\n\
             log: { level: loud }\n",
        )
        .unwrap_err();
        for part in ["dangerous_plaintext", "limits.long_polls: 0", "log.level: `loud`"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn every_setting_has_a_meaning() {
        let all = all_settings();
        assert!(all.iter().all(|setting| setting.doc.ends_with('.')), "{all:?}");
        let polls = all.iter().find(|setting| setting.name == "limits.long_polls").unwrap();
        assert_eq!((polls.default.as_str(), polls.unit), ("1200", "polls"));
        assert_eq!(polls.range, Some(1..=1_000_000));
    }
}
