//! The codec server: `POST …/encode` and `POST …/decode`, as the `temporal` CLI and the web
//! interfaces speak it. It keeps nothing.
//!
//! `connection` takes requests in and bounds them, `request` reads what is asked, `rights` decides
//! whether the caller may, `cors` lets browsers ask.

mod connection;
mod cors;
mod request;
mod rights;
mod server;

pub use cors::{Origins, OriginsError};
pub use rights::Access;
pub use server::{CodecServer, Settings};
