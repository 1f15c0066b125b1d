//! What every backend must do, as one suite of tests.
//!
//! A backend implements [`Subject`] and calls [`crate::conformance_suite!`] in its tests.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "these are tests; their names are their documentation"
)]

mod batches;
mod fencing;
mod meta;
mod reading;
mod subject;

pub use batches::*;
pub use fencing::*;
pub use meta::*;
pub use reading::*;
pub use subject::{Subject, Writer, history_of, put, slot};

/// Runs the whole suite: `conformance_suite!(make)`, where `make` is called for each test and gives
/// a fresh [`Subject`]. The calling crate needs tokio with `macros` and `rt`.
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { $make;
            a_batch_is_applied_as_a_whole
            a_batch_that_fails_changes_nothing
            the_last_write_of_a_key_wins
            a_pipelined_put_and_delete_keep_their_order
            batches_of_a_slot_keep_their_order_under_pipelining
            a_batch_outside_its_slot_is_refused
            a_large_value_survives
            an_empty_value_is_not_a_missing_one
            every_slot_takes_batches
            acknowledged_batches_are_read_at_once
            cursors_and_task_ids_are_stored_with_the_batch
            tasks_above_the_cursors_are_never_dropped
            a_store_reopens_with_all_that_was_acknowledged
            a_closed_store_refuses_batches
            closing_lets_queued_batches_finish
            a_claim_fences_the_former_owner
            of_two_owners_that_race_only_the_last_one_writes
            a_failed_batch_fences_the_rest_of_its_slot_but_no_other_slot
            the_slot_row_tells_whether_an_unknown_batch_is_in
            a_batch_that_is_in_cannot_be_applied_twice
            the_epoch_rises_over_a_reopening
            a_scan_keeps_its_bounds_in_both_directions
            a_scan_stops_at_its_limits
            a_scan_sees_a_batch_as_a_whole
            tables_do_not_mix
            a_damaged_record_is_named_and_hides_no_neighbour
            verify_counts_all_records_and_finds_the_damaged_one
            meta_records_are_compared_before_they_are_set
            meta_records_are_found_by_prefix
            meta_records_survive_a_reopening
            of_many_meta_writers_exactly_one_wins
        }
    };
}

/// One test function per named case.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($make:expr; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                let subject = $make();
                $crate::conformance::$case(&subject).await;
            }
        )*
    };
}
