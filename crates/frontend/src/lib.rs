//! The API's edge: gRPC in, decisions of the inner crates out.
//!
//! Every call goes the same way (`admission.rs`): its row in the RPC table, the caller's identity,
//! the namespace, the permit, the limits, and then the handler of its RPC group (`rpc/`), which
//! validates, calls [`history`] or [`matching`] and shapes the answer. This crate owns what is
//! opaque to clients (task tokens and page tokens) and the texts and details of errors.
//!
//! Where to start: `rpc/signals.rs` is a short group, `rpc.rs` lists all that is built.

mod admission;
mod auditing;
mod authentication;
mod batch_members;
mod command_metrics;
mod deadline;
mod details;
mod error;
mod frontend;
mod health;
mod http_server;
mod limits;
mod named;
mod permissions;
mod poll_metrics;
mod refusal_lines;
mod rpc;
mod server;
mod system_operations;
mod target;
mod test_service;
mod token;
mod validation;

pub use authentication::{Authenticate, Consult};
pub use batch_members::BatchMembers;
pub use frontend::{Cluster, Frontend, Parts};
pub use http_server::{Face, Hosts, HttpServer, HttpSettings, Upstream};
pub use limits::{MessageLimits, NamespaceLimits, RequestLimits};
pub use listener::RateLimit;
pub use rpc::built_rpcs;
pub use server::{
    HttpRequest, RequestBody, ResponseFuture, Server, ServerSettings, SideService, SideServices,
    side_service,
};
pub use system_operations::SystemOperations;
#[doc(hidden)]
pub use token::tokens_survive;

/// The version that clients are told. It follows the reference's, because clients check it against
/// the range they support; ours is [`OWN_VERSION`].
pub const SERVER_VERSION: &str = "1.32.0";

/// The version of this program.
pub const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");
