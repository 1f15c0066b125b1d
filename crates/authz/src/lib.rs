//! What each RPC is, and who may call it.
//!
//! [`rpc()`] finds a method's row in the one table of RPCs; [`authorize`] turns a principal, a row
//! and a resource into a [`Permit`] or a [`Denial`]. Everything here is pure: no I/O, no clock, no
//! credentials (those end at the edge, where they become a [`Principal`]).

mod audit_log;
mod caller;
mod claims;
mod entry;
mod nexus;
mod permit;
mod policy;
mod principal;
mod resource;
mod roles;
mod rpc;
mod ruled;
mod rules;
mod table;

pub use audit_log::READ_AUDIT_LOG;
pub use caller::Caller;
pub use claims::{Claims, Role, SYSTEM_NAMESPACE};
pub use entry::Entry;
pub use nexus::{
    COMPLETE_NEXUS_OPERATION, DISPATCH_BY_ENDPOINT, DISPATCH_BY_NAMESPACE_AND_TASK_QUEUE,
};
pub use permit::{Denial, Ground, Permit, authorize};
pub use policy::Policy;
pub use principal::Principal;
pub use resource::{DETAIL_NAMES, Details, Part, Resource};
pub use roles::{CustomRole, CustomRoles, RoleError, Roles};
pub use rpc::{Access, Audit, Kind, RateClass, ResourceKind, Rpc, Scope, Service};
pub use rules::{Further, Question, Rules, Ruling};
pub use table::{RPC_COUNT, method, methods, rpc, rpcs};
