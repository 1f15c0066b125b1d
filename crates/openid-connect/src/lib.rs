//! OpenID Connect as a client speaks it: what a provider says of itself, codes, tokens.
//!
//! The command line logs people in with it, and the server signs them in to the web UI. It asks
//! over [`http_client`], as everything else that leaves the process. What a token says is not read
//! here: signatures are checked where all tokens are.

mod client;
mod discovery;
mod form;
mod proof;

pub use client::{Client, ClientSecret, ExchangeError, Refusal, SecretPlace, Tokens};
pub use discovery::{Discovered, ProviderError, check_address, discover};
pub use form::{address_with, form, read_form};
pub use proof::{challenge, random_text};
