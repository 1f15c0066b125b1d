//! What goes wrong, and the exit code of each.

use std::{io, path::PathBuf};

use tonic::{Code, Status};

use crate::diagnosis::Diagnosis;

/// Result of a command.
pub(crate) type Result<T = ()> = std::result::Result<T, Error>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command worked, and its answer is bad news, such as a workflow that failed.
    #[error("{0}")]
    Outcome(String),
    /// The command line, a file or a variable says what makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The server refused.
    #[error("{doing}: {}", .status.message())]
    Refused {
        /// What was tried.
        doing: String,
        /// The server's answer.
        status: Box<Status>,
    },
    /// There is no way to the server.
    #[error("{0}")]
    Connection(Box<Diagnosis>),
    /// A file could not be read or written.
    #[error("`{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The result could not be printed.
    #[error("cannot print")]
    Print(#[from] io::Error),
    /// The server sent what cannot be understood.
    #[error("the server's answer makes no sense: {0}")]
    Answer(String),
    /// The codec server did not do its work.
    #[error("codec server: {0}")]
    Codec(String),
    /// Logging in did not work.
    #[error("login: {0}")]
    Login(String),
    /// `--command-timeout` is over.
    #[error("the command took longer than --command-timeout")]
    TimedOut,
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Whether whoever read the result has seen enough of it, as `head` does: no failure.
    pub fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code of this cause; docs/guide/command-line.md has the table.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Outcome(_) | Self::Print(_) | Self::Answer(_) => 1,
            Self::Usage(_) | Self::File { .. } => 2,
            Self::Connection(diagnosis) => diagnosis.exit_code(),
            Self::Codec(_) => 12,
            Self::Login(_) => 6,
            Self::TimedOut => 9,
            Self::Refused { status, .. } => code(status.code()),
        }
    }
}

/// The exit code of a status.
pub(crate) fn code(code: Code) -> u8 {
    match code {
        Code::NotFound => 3,
        Code::AlreadyExists => 4,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 5,
        Code::Unauthenticated => 6,
        Code::PermissionDenied => 7,
        Code::Unavailable => 8,
        Code::DeadlineExceeded | Code::Cancelled => 9,
        Code::Unimplemented => 10,
        Code::ResourceExhausted => 11,
        _ => 1,
    }
}
