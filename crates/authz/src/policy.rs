//! The rules that decide.

/// The rules of a server. Without any, everything is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Nobody may call anything but the open methods.
    #[default]
    DenyAll,
    /// Everybody may call everything: the development server on loopback.
    AllowAll,
}
