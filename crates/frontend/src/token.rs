//! What is opaque to clients: task tokens and page tokens. All of them carry a code that only this
//! cluster makes (`token_keys`), so that what is read here was written here.

mod foreign;
mod history;
mod page;
mod task;

pub(crate) use history::HistoryToken;
pub(crate) use page::{open_page, seal_page};
pub(crate) use task::{HeldTask, TaskToken};

/// False when bytes read as the body of a token that reads differently once it is written again.
/// For the fuzz targets: no other crate looks into a token.
pub fn tokens_survive(bytes: &[u8]) -> bool {
    let task = TaskToken::read(bytes).is_none_or(|token| token.survives());
    let history = [false, true].into_iter().all(|reverse| {
        let Some(token) = HistoryToken::read(bytes, reverse) else { return true };
        HistoryToken::read(&token.body(), reverse) == Some(token)
    });
    task && history
}
