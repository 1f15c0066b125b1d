//! The codec proxy: stands between clients and a server that speaks Temporal's protocol, encodes the
//! payloads of requests and decodes those of answers. Clients need no codec, and the server sees
//! nothing readable.
//!
//! What it cannot encode does not go on: a method, a service or a field that it does not know is
//! refused, and so is everything while a key is missing. It keeps nothing.
//!
//! `methods` says which calls there are, `forward` takes one from the client to the server and back,
//! `frame` reads and writes what HTTP/2 carries, `coder` turns messages into others, `nexus` and
//! `queries` the errors in them that are no payloads, `details` those of refusals.

mod coder;
mod connection;
mod details;
mod forward;
mod frame;
mod methods;
mod nexus;
mod queries;
mod server;

pub use coder::{Coder, CoderError, CoderSettings};
pub use methods::MethodsError;
pub use server::{CodecProxy, Settings};
