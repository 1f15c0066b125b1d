//! The checkers. They read what clients were told and what the store holds; none of them asks the
//! engine what is right.

pub(crate) mod acknowledged;
pub(crate) mod callbacks;
pub(crate) mod entities;
pub(crate) mod families;
pub(crate) mod legality;
pub(crate) mod outstanding;
pub(crate) mod results;
pub(crate) mod snapshot;
pub(crate) mod versions;
pub(crate) mod views;
pub(crate) mod worker_commands;

/// Fails with this text unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use ensure;
