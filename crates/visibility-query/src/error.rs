//! Why a query is refused, in the reference's words.

/// A query that cannot be run. The text is what the caller of the API sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The text is not a query. `position` counts bytes from one, over the text with the
    /// `select * from table1 where ` that the reference puts before it.
    #[error(
        "invalid query: malformed SQL query: syntax error at position {position}{}",
        shown(near)
    )]
    Malformed {
        /// One past the end of the offending token.
        position: usize,
        /// The offending token; empty for punctuation and for the end of the text.
        near: String,
    },
    /// SQL that a list filter does not have.
    #[error("invalid query: operation is not supported: {0}")]
    Unsupported(String),
    /// A value that does not fit its attribute, or an expression that is not a condition.
    #[error("invalid query: invalid expression: {0}")]
    Expression(String),
    /// The namespace has no such search attribute.
    #[error("invalid query: invalid search attribute: {0}")]
    UnknownAttribute(String),
}

fn shown(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!(" near '{token}'") }
}
