//! Task tokens and page tokens, which clients hand back and may make up.

/// Reads bytes as every kind of token. What reads as one reads the same after it is written again.
pub fn task_token(bytes: &[u8]) {
    assert!(frontend::tokens_survive(bytes), "a token changes when it is written again");
}
