//! The HTTP form of the API, driven by the API's own description and its rules for HTTP.
//!
//! [`find`] says which call a method and a path are, [`Found`] turns path, query and body into the
//! call's message, and the answer's message into JSON. Nothing here is written for a single method.
//! What a call does, and who may make it, is decided elsewhere: by the gRPC service that gets the
//! message.

mod answer;
mod description;
mod error;
mod field;
mod form;
mod json;
mod payload;
mod pool;
mod query;
mod read;
mod rules;

pub use answer::{error_body, http_status};
pub use description::{openapi_yaml, swagger_json};
pub use error::{BadRequest, NotRouted};
pub use form::Form;
pub use json::{descriptor, named as json, payload_value, value};
pub use query::{bytes as query_bytes, value as query_value};
pub use read::{lenient as from_json, message_of_json};
pub use rules::{Found, Rule, find, rules};
