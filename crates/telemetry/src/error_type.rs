//! The types of errors that requests end with.

/// Why a request failed, in the reference's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The caller went away or took its request back.
    Canceled,
    /// The request makes no sense.
    InvalidArgument,
    /// The caller's deadline passed.
    DeadlineExceeded,
    /// Nothing has this id.
    NotFound,
    /// No namespace has this name.
    NamespaceNotFound,
    /// The id is taken.
    AlreadyExists,
    /// The workflow is running or its id may not be used again.
    WorkflowExecutionAlreadyStarted,
    /// No permission covers the call.
    PermissionDenied,
    /// A limit was reached.
    ResourceExhausted,
    /// The state of the thing does not allow it.
    FailedPrecondition,
    /// Something else won.
    Aborted,
    /// A query's handler failed.
    QueryFailed,
    /// Not built.
    Unimplemented,
    /// A bug, or a damaged record.
    Internal,
    /// The server cannot serve this for the moment.
    Unavailable,
    /// Stored data is lost.
    DataLoss,
    /// Anything else.
    Unknown,
}

impl ErrorType {
    /// The value of the `error_type` label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Canceled => "serviceerror_Canceled",
            Self::InvalidArgument => "serviceerror_InvalidArgument",
            Self::DeadlineExceeded => "serviceerror_DeadlineExceeded",
            Self::NotFound => "serviceerror_NotFound",
            Self::NamespaceNotFound => "serviceerror_NamespaceNotFound",
            Self::AlreadyExists => "serviceerror_AlreadyExists",
            Self::WorkflowExecutionAlreadyStarted => "serviceerror_WorkflowExecutionAlreadyStarted",
            Self::PermissionDenied => "serviceerror_PermissionDenied",
            Self::ResourceExhausted => "serviceerror_ResourceExhausted",
            Self::FailedPrecondition => "serviceerror_FailedPrecondition",
            Self::Aborted => "serviceerror_Aborted",
            Self::QueryFailed => "serviceerror_QueryFailed",
            Self::Unimplemented => "serviceerror_Unimplemented",
            Self::Internal => "serviceerror_Internal",
            Self::Unavailable => "serviceerror_Unavailable",
            Self::DataLoss => "serviceerror_DataLoss",
            Self::Unknown => "serviceerror_Unknown",
        }
    }

    /// The type that goes with a gRPC status code, for callers that know no more.
    pub const fn from_grpc_code(code: i32) -> Self {
        match code {
            1 => Self::Canceled,
            3 | 11 => Self::InvalidArgument,
            4 => Self::DeadlineExceeded,
            5 => Self::NotFound,
            6 => Self::AlreadyExists,
            7 | 16 => Self::PermissionDenied,
            8 => Self::ResourceExhausted,
            9 => Self::FailedPrecondition,
            10 => Self::Aborted,
            12 => Self::Unimplemented,
            13 => Self::Internal,
            14 => Self::Unavailable,
            15 => Self::DataLoss,
            _ => Self::Unknown,
        }
    }
}
