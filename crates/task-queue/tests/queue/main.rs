//! The queue as a whole: by examples, and against a naive model.

#[cfg(test)]
mod examples;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod support;
