//! Checks that YAML alone cannot do.

use std::ops::RangeInclusive;

/// Notes a number out of its range.
pub(crate) fn range(
    name: &str,
    value: u64,
    range: RangeInclusive<u64>,
    problems: &mut Vec<String>,
) {
    if !range.contains(&value) {
        let (low, high) = range.into_inner();
        problems.push(format!("{name}: {value} is not between {low} and {high}"));
    }
}
