//! What is opaque to clients: task tokens and page tokens.

mod history;
mod task;

pub(crate) use history::HistoryToken;
pub(crate) use task::TaskToken;
