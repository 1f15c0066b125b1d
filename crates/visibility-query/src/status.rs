//! The names of run statuses in queries.

/// The names in the order of the API's `WorkflowExecutionStatus`.
const NAMES: [&str; 9] = [
    "Unspecified",
    "Running",
    "Completed",
    "Failed",
    "Canceled",
    "Terminated",
    "ContinuedAsNew",
    "TimedOut",
    "Paused",
];

/// The name of a status number (`WorkflowExecutionStatus`), as queries spell it.
pub fn status_name(number: i64) -> Option<&'static str> {
    NAMES.get(usize::try_from(number).ok()?).copied()
}

/// The number of a status name.
pub fn status_number(name: &str) -> Option<i64> {
    let index = NAMES.iter().position(|known| *known == name)?;
    i64::try_from(index).ok()
}
