//! What lists and counts show of submitted changes.

mod changes;
mod files;
mod filters;
mod laws;
mod pages;
mod speed;
mod support;
