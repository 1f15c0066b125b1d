//! The priority of a run's tasks and children.

use api::common::v1::Priority;

/// What an activity or a child leaves open is the run's, field by field (fact sheet section 7).
pub fn merged_priority(own: Option<&Priority>, of_run: Option<&Priority>) -> Option<Priority> {
    let (Some(own), Some(run)) = (own, of_run) else {
        return own.or(of_run).cloned();
    };
    let or = |own: f32, run: f32| if own == 0.0 { run } else { own };
    Some(Priority {
        priority_key: if own.priority_key == 0 { run.priority_key } else { own.priority_key },
        fairness_key: if own.fairness_key.is_empty() {
            run.fairness_key.clone()
        } else {
            own.fairness_key.clone()
        },
        fairness_weight: or(own.fairness_weight, run.fairness_weight),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_open_is_the_run_s() {
        let run = Priority { priority_key: 1, fairness_key: "a".to_owned(), fairness_weight: 3.0 };
        let own = Priority { priority_key: 5, ..Priority::default() };
        let merged = Priority { priority_key: 5, ..run.clone() };
        assert_eq!(merged_priority(Some(&own), Some(&run)), Some(merged));
        assert_eq!(merged_priority(None, Some(&run)), Some(run));
        assert_eq!(merged_priority(Some(&own), None), Some(own));
        assert_eq!(merged_priority(None, None), None);
    }
}
