//! One file per request: what it loads, what the engine is asked, what is answered.

pub(crate) mod activity;
pub(crate) mod activity_operations;
pub(crate) mod cancel;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod pause;
pub(crate) mod query;
pub(crate) mod read_history;
pub(crate) mod reset;
pub(crate) mod reset_point;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod sticky;
pub(crate) mod terminate;
pub(crate) mod update;
pub(crate) mod update_with_start;
pub(crate) mod workflow_options;
pub(crate) mod workflow_task;
