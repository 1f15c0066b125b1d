//! What lists and counts show of submitted changes.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod files;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod support;
