//! The shell with a real engine, matching and visibility index, on memory stores and virtual time.

#[cfg(test)]
mod backlog;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod commits;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod deletion;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod reclaim;
#[cfg(test)]
mod resets;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod standalone_activities;
#[cfg(test)]
mod standalone_nexus_operations;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod sticky;
#[cfg(test)]
mod support;
#[cfg(test)]
mod timers;
#[cfg(test)]
mod updates;
