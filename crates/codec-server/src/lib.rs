//! The codec server: `POST …/encode` and `POST …/decode`, as the `temporal` CLI and the web
//! interfaces speak it. It keeps nothing.
//!
//! `connection` takes requests in and bounds them, `request` reads what is asked, `rights` decides
//! whether the caller may (`authority` asks a server about API keys), `principal` bounds how often,
//! `auditing` writes down who asked, `cors` lets browsers ask.

mod auditing;
mod authority;
mod connection;
mod cors;
mod principal;
mod request;
mod rights;
mod server;

pub use authority::{Authority, Verdict};
pub use cors::{Origins, OriginsError};
pub use rights::{Access, Rights};
pub use server::{CodecServer, Settings};
