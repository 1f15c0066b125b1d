//! What is opaque to clients: task tokens and page tokens.

mod history;
mod task;

pub(crate) use history::HistoryToken;
pub(crate) use task::{HeldTask, TaskToken};

/// False when bytes read as a token that reads differently once it is written again. For the fuzz
/// targets: no other crate looks into a token.
pub fn tokens_survive(bytes: &[u8]) -> bool {
    let task = TaskToken::decode(bytes).map_or(true, |token| token.survives());
    let history = [false, true].into_iter().all(|reverse| {
        let Ok(Some(token)) = HistoryToken::decode(bytes, reverse) else { return true };
        HistoryToken::decode(&token.encode(), reverse) == Ok(Some(token))
    });
    task && history
}
