//! What is wrong with a configuration.

use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not YAML, has a key that no setting has, or a value of another type.
    #[error("{0}")]
    Malformed(#[from] serde_norway::Error),
    /// A `${NAME}` whose variable is not set.
    #[error("the environment variable `{0}` is not set; write `$${{…}}` for the text itself")]
    UnknownVariable(String),
    /// A `${` without its end.
    #[error("`${{` without `}}` in `{0}`")]
    Unterminated(String),
    /// Values out of range, or missing ones: all of them.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
}
