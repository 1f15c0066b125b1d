//! The Nexus protocol over HTTP, as Temporal speaks it: what a request, an answer and a completion
//! look like on the wire, from both ends. Nothing here sends or receives anything.
//!
//! What one end writes the other end reads: each file holds both directions of one thing. The words
//! of errors are the reference's (fact sheet section 18).

mod completion;
mod content;
mod duration;
mod failure;
mod failure_json;
mod handler_error;
mod headers;
mod link;
mod operation;
mod operation_error;
mod start;
mod timestamp;

pub use completion::{
    Completion, CompletionEnd, read_completion, read_completion_answer, write_completion,
};
pub use content::{Content, ContentError};
pub use duration::{format_duration, parse_duration};
pub use failure::Failure;
pub use handler_error::{HandlerError, HandlerErrorKind};
pub use headers::{
    CALLBACK_TOKEN, FAILURE_SOURCE, FAILURE_SUPPORT, OPERATION_TIMEOUT, OPERATION_TOKEN,
    REQUEST_TIMEOUT, nexus_header,
};
pub use link::{read_links, write_links};
pub use operation::{OperationRequest, read_operation};
pub use operation_error::OperationError;
pub use start::{
    CallFailure, StartAnswer, cancel_request, read_cancel_answer, read_start_answer, start_request,
    write_canceling, write_started, write_succeeded,
};
