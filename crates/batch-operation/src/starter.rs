//! In whose name a batch operation acts. Tags are part of the stored format: never reuse one.

/// Who asked for a batch operation, with the rights of that moment: what a query finds is decided
/// about when the batch comes to it, and that may be long after.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Starter {
    /// How it was proved who that is, such as `jwt`.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// The name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The rights. Whatever carried them here was no longer than a header may be.
    #[prost(message, repeated, tag = "3")]
    pub grants: Vec<Grant>,
}

/// A right.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Grant {
    /// On which namespace; `temporal-system` stands for everything.
    #[prost(string, tag = "1")]
    pub namespace: String,
    /// The name of the role.
    #[prost(string, tag = "2")]
    pub role: String,
}
