//! Signing in to the web UI.
//!
//! People sign in at an identity provider (OpenID Connect, authorization code with PKCE). The
//! provider's tokens stay here: the browser holds a random id in a cookie that no script can read,
//! and each of its requests gets the person's token before anybody asks who calls. So a session
//! gives no right of its own: what a person may do is what the token says, as for any caller.
//!
//! What is stored of a session is sealed with a key that follows from that id, which is not stored:
//! a copy of the store, or of its backups, holds no token that anybody could use.
//!
//! Where to start: `single_sign_on.rs`, then `attempt.rs` and `sessions.rs`.

mod attempt;
mod cookies;
mod error;
mod exits;
mod identity;
mod keys;
mod listed;
mod provider;
mod return_url;
mod sealing;
mod session;
mod sessions;
mod settings;
mod single_sign_on;

pub use error::{OpenError, SessionError, SignInError};
pub use listed::{
    EndSessionRequest, EndSessionResponse, ListSessionsRequest, ListSessionsResponse, OpenSession,
};
pub use openid_connect::ClientSecret;
pub use settings::{ProviderSettings, Settings};
pub use single_sign_on::{
    Begun, Completed, NotBegun, Session, SignedIn, SingleSignOn, sign_in_page,
};
