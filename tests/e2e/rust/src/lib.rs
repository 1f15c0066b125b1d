//! End-to-end tests with the unmodified Rust SDK; all of it is in `tests`.
