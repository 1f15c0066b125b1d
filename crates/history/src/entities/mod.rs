//! Durable entities that are not workflow runs: the shell around their machines.
//!
//! They share slots, ledgers, timers, commits and the visibility feed with the runs. `held.rs` hides
//! what differs between the kinds; `perform.rs` is what a kind does outside of itself.

mod batch_activities;
mod batch_inputs;
mod batch_members;
mod batch_operations;
mod cache;
mod find;
mod held;
mod notice;
mod perform;
mod record;
mod records;
mod requests;
mod schedules;
mod standalone_activities;
mod standalone_nexus_operations;
mod tasks;
mod work;

pub use batch_members::{BatchMember, BatchMembers, batch_starter};
pub(crate) use cache::{CachedEntity, LiveEntity};
pub(crate) use held::{Held, Next};
pub use perform::{EntityScope, Perform};
pub(crate) use record::StoredEntity;
pub(crate) use records::pointed_at;
pub use requests::{EntityError, EntityView};
pub use standalone_activities::{ACTIVITY_ATTRIBUTES, activity_schema};
pub(crate) use tasks::TakenAtOnce;
