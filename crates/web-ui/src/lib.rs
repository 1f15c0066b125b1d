//! The web UI: its files, as they were built in or read from a folder, and how they are sent.
//!
//! A [`Site`] has all files in memory: a path names an entry of a table, and leads nowhere else.
//! What it sends runs no script but the UI's own, is shown in no frame, and is cached for good when
//! its name changes with its contents. What the pages read and do goes through the API in JSON.

mod file;
mod folder;
mod forbidden;
mod headers;
mod rendered;
mod settings;
mod site;

pub use folder::FolderError;
pub use headers::secure_answer;
pub use settings::{Codec, Settings};
pub use site::{PublicPathError, Site};
