//! The machine of standalone activities.

#[cfg(test)]
mod laws;
#[cfg(test)]
mod life;
#[cfg(test)]
mod support;
