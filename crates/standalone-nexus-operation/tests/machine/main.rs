//! The machine of standalone Nexus operations.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod life;
#[cfg(test)]
mod support;
