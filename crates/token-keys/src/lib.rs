//! The keys that tokens are authenticated with.
//!
//! Clients hand tokens back that the server gave them: which task they hold, where a list goes on,
//! who waits for the operation that they carry out.
//! Each carries a code that only the server can make, over what it is for, the namespace and the
//! rest of the token, so that nobody can make one up, change one, or use one of another namespace.
//! The keys belong to the cluster and are kept in the store: tokens outlive a restart.

mod keys;
mod stored;

pub use keys::{CODE_BYTES, Purpose, SECRET_BYTES, TokenKeys};
pub use stored::TokenKeysError;
