//! The shell in virtual time: polls, reservations, backlog, limits, and the end.

#[cfg(test)]
mod backlog;
#[cfg(test)]
mod hammer;
#[cfg(test)]
mod overflow;
#[cfg(test)]
mod polls;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod reservations;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod sticky;
#[cfg(test)]
mod support;
