//! Checks of requests that need no state. Texts and order are the reference's (fact sheet
//! section 11), looked up in its development server where the sheet is silent.

mod callback;
mod commands;
mod duration;
mod execution;
mod field_mask;
mod link;
mod null;
mod priority;
mod search_attributes;
mod size;
mod task_queue;
mod text;
mod time_skipping;
mod worker_version;

pub(crate) use callback::check_callbacks;
pub(crate) use commands::{shape_versioning_overrides, type_search_attributes};
pub(crate) use duration::check_duration;
pub(crate) use execution::{execution, run_id};
pub(crate) use field_mask::{check_options_mask, snake_case};
pub(crate) use link::{check_link_count, check_links, links_beside_callbacks};
pub(crate) use null::{drop_nulls, memo_without_nulls, search_attributes_without_nulls};
pub(crate) use priority::check_priority;
pub(crate) use search_attributes::typed_search_attributes;
pub(crate) use size::{check_blob, check_memo, failure_of_size};
pub(crate) use task_queue::{normal_queue, polled_queue};
pub(crate) use text::{check_length, required};
pub(crate) use time_skipping::{check_fast_forward_id, check_time_skipping, may_skip_time};
pub(crate) use worker_version::{
    answering_version, check_override_is_served, polling_version, shaped_override,
    versioning_override,
};
