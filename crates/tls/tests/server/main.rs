//! The certificates of a server.

#[cfg(test)]
mod certificates;
