//! Which of the buffered starts go out.

use api::enums::v1::ScheduleOverlapPolicy as Policy;

use crate::{
    State,
    state::{BufferedStart, Pending, PendingStart},
    work::workflow_id,
};

/// What becomes of a buffer.
#[derive(Debug, Default, PartialEq)]
struct Choice {
    /// Starts that wait for nobody.
    overlapping: Vec<BufferedStart>,
    /// The one that others wait for.
    alone: Option<BufferedStart>,
    /// Those that wait for what is running.
    waiting: Vec<BufferedStart>,
    cancel: bool,
    terminate: bool,
    skipped: i64,
}

fn choose(state: &State, is_running: bool) -> Choice {
    let mut choice = Choice::default();
    for start in &state.buffered_starts {
        let policy = state.overlap_policy(start.overlap_policy);
        if policy == Policy::AllowAll {
            choice.overlapping.push(*start);
            continue;
        }
        if !is_running && choice.alone.is_none() {
            choice.alone = Some(*start);
            continue;
        }
        match policy {
            Policy::BufferAll => choice.waiting.push(*start),
            Policy::BufferOne if choice.waiting.is_empty() => choice.waiting.push(*start),
            Policy::CancelOther | Policy::TerminateOther if is_running => {
                choice.waiting.push(*start);
                choice.cancel |= policy == Policy::CancelOther;
                choice.terminate |= policy == Policy::TerminateOther;
            }
            // Nothing runs yet: the later start takes the place of the earlier one.
            Policy::CancelOther | Policy::TerminateOther => choice.alone = Some(*start),
            Policy::Unspecified | Policy::Skip | Policy::BufferOne | Policy::AllowAll => {
                choice.skipped += 1;
            }
        }
    }
    if choice.cancel || choice.terminate {
        // They would be stopped at once.
        choice.overlapping.clear();
    }
    choice
}

/// Sends out what may go out.
pub(crate) fn process(state: &mut State) {
    if !is_looking(state) {
        while process_once(state) {}
    }
}

/// Whether it is still open what a buffered start would overlap with. The word of a run's end comes
/// after the end: who has seen it asks for a start that nothing stands in the way of any more. So
/// the schedule looks before it decides, and first hears of the start that is under way.
fn is_looking(state: &mut State) -> bool {
    if state.pending.values().any(|pending| pending.look) {
        return true;
    }
    let may_overlap =
        |start: &BufferedStart| state.overlap_policy(start.overlap_policy) == Policy::AllowAll;
    if !state.must_look
        || state.workflow().is_none()
        || state.buffered_starts.iter().all(may_overlap)
    {
        return false;
    }
    if is_starting(state) {
        return true;
    }
    state.must_look = false;
    if state.running_workflows.is_empty() {
        return false;
    }
    state.add_pending(Pending { look: true, ..Pending::default() });
    true
}

/// Whether a start is under way for whose run others wait.
fn is_starting(state: &State) -> bool {
    let mut starts = state.pending.values().filter_map(|pending| pending.start.as_ref());
    starts.any(|start| start.tracked)
}

/// True when more may go out.
fn process_once(state: &mut State) -> bool {
    if state.workflow().is_none() || state.buffered_starts.is_empty() {
        state.buffered_starts.clear();
        return false;
    }
    let choice = choose(state, is_starting(state) || !state.running_workflows.is_empty());
    state.buffered_starts = choice.waiting;
    state.overlap_skipped += choice.skipped;
    let mut again = false;
    let starts = choice.overlapping.into_iter().map(|start| (start, false));
    for (start, tracked) in starts.chain(choice.alone.map(|start| (start, true))) {
        if state.take_action(start.manual) {
            let workflow_id = workflow_id(state, &start);
            let start = Some(PendingStart { start, tracked, workflow_id });
            state.add_pending(Pending { start, ..Pending::default() });
        } else {
            // Paused or out of actions: the rest of the buffer is dropped in the same way.
            again = true;
        }
    }
    if choice.terminate {
        for run in state.running_workflows.clone() {
            if !state.terminated_run_ids.contains(&run.run_id) {
                state.terminated_run_ids.push(run.run_id.clone());
                state.add_pending(Pending { terminate: Some(run), ..Pending::default() });
            }
        }
    } else if choice.cancel {
        for run in state.running_workflows.clone() {
            if !state.cancelled_run_ids.contains(&run.run_id) {
                state.cancelled_run_ids.push(run.run_id.clone());
                state.add_pending(Pending { cancel: Some(run), ..Pending::default() });
            }
        }
    }
    again
}

#[cfg(test)]
mod tests {
    use model::Time;

    use super::*;

    fn start(second: i64, policy: Policy) -> BufferedStart {
        BufferedStart {
            nominal_time: Time::from_nanos(second * 1_000_000_000),
            overlap_policy: policy as i32,
            ..BufferedStart::default()
        }
    }

    fn choice(policies: &[Policy], is_running: bool) -> Choice {
        let starts = policies.iter().zip(1..).map(|(policy, second)| start(second, *policy));
        let state = State { buffered_starts: starts.collect(), ..State::default() };
        choose(&state, is_running)
    }

    #[test]
    fn the_first_start_goes_out_when_nothing_runs() {
        let chosen = choice(&[Policy::Skip, Policy::Skip], false);
        assert_eq!(chosen.alone, Some(start(1, Policy::Skip)));
        assert_eq!(chosen.skipped, 1);
    }

    #[test]
    fn buffer_one_keeps_one_and_buffer_all_keeps_all() {
        let chosen = choice(&[Policy::BufferOne; 3], true);
        assert_eq!((chosen.waiting.len(), chosen.skipped), (1, 2));
        let chosen = choice(&[Policy::BufferAll; 3], true);
        assert_eq!((chosen.waiting.len(), chosen.skipped), (3, 0));
    }

    #[test]
    fn a_start_that_stops_others_waits_for_their_end() {
        let chosen = choice(&[Policy::AllowAll, Policy::CancelOther], true);
        assert!(chosen.cancel && !chosen.terminate);
        assert_eq!(chosen.waiting, [start(2, Policy::CancelOther)]);
        assert_eq!(chosen.overlapping, []);
    }

    #[test]
    fn a_start_that_stops_others_replaces_one_that_is_not_out() {
        let chosen = choice(&[Policy::TerminateOther, Policy::TerminateOther], false);
        assert_eq!(chosen.alone, Some(start(2, Policy::TerminateOther)));
        assert!(!chosen.terminate);
    }
}
