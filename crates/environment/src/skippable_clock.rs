//! A clock that passes over time in which nobody works.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{Agenda, RunId, Span, Time};
use tokio::sync::Notify;

use crate::{Clock, Sleep, SystemClock};

/// The longest single nap of a sleeper, as of the system's clock.
const NAP_MAX: Span = Span::from_secs(30);

/// A system clock whose time of day moves forward at once, to the next time that somebody waits
/// for, while nobody works and nobody holds a lock. Monotonic time does not notice.
///
/// Callers lock and unlock it as the test service of Temporal's API has it: locks are counted, and
/// work under way counts as a lock, so that a caller who works can let the time pass all the same.
/// Clones share their time.
#[derive(Debug, Clone)]
pub struct SkippableClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    system: SystemClock,
    state: Mutex<State>,
    skipped: Notify,
}

/// Holds as much as there are runs and entities that are not at rest, and callers that sleep.
#[derive(Debug, Default)]
struct State {
    /// How much time was passed over.
    skipped: Span,
    /// Locks of callers; negative while a caller has lifted that of its own work.
    locks: i64,
    /// Sums over the agendas.
    steps: u64,
    work: i64,
    agendas: BTreeMap<Party, Agenda>,
    due: BTreeSet<(Time, Party)>,
    next_sleeper: u64,
}

/// Who has an agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    /// A run or another entity.
    Run(RunId),
    /// A caller that sleeps.
    Sleeper(u64),
}

/// Nothing is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLocked;

impl SkippableClock {
    /// A clock that shows the system's time until it is unlocked.
    pub fn locked() -> Self {
        let clock = Self::unlocked();
        clock.lock();
        clock
    }

    /// A clock that passes over idle time from its start.
    pub fn unlocked() -> Self {
        let system = SystemClock::new();
        let shared = Shared { system, state: Mutex::default(), skipped: Notify::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Adds a lock.
    pub fn lock(&self) {
        self.state().locks += 1;
    }

    /// Takes a lock away.
    ///
    /// # Errors
    /// When there is none, and no work under way that counts as one.
    pub fn unlock(&self) -> Result<(), NotLocked> {
        let mut state = self.state();
        state.unlock()?;
        self.skip_if_idle(&mut state);
        Ok(())
    }

    /// Waits until this time has come or was passed over.
    pub async fn wait_for(&self, due: Time) {
        let sleeper = self.sleeper(&mut self.state(), due, Relock::No);
        self.sleep_until(sleeper.due).await;
    }

    /// Takes a lock away, waits until so much time has passed or was passed over, and puts the
    /// lock back before anything else happens.
    ///
    /// # Errors
    /// As [`SkippableClock::unlock`].
    pub async fn unlock_and_wait(&self, span: Span) -> Result<(), NotLocked> {
        let due = self.now() + span;
        let sleeper = {
            let mut state = self.state();
            state.unlock()?;
            self.sleeper(&mut state, due, Relock::AtItsEnd)
        };
        self.sleep_until(sleeper.due).await;
        Ok(())
    }

    /// Notes what runs and entities are about to do, all at once.
    pub fn note(&self, agendas: impl IntoIterator<Item = (RunId, Agenda)>) {
        let mut state = self.state();
        for (run_id, agenda) in agendas {
            state.set(Party::Run(run_id), agenda);
        }
        self.skip_if_idle(&mut state);
    }

    /// Keeps time from being passed over while the answer lives.
    pub fn hold(&self) -> Hold {
        let mut state = self.state();
        let party = state.newcomer();
        state.set(party, Agenda { steps: 1, ..Agenda::EMPTY });
        Hold { clock: self.clone(), party, relock: Relock::No }
    }

    fn sleeper(&self, state: &mut State, due: Time, relock: Relock) -> Sleeper {
        let party = state.newcomer();
        state.set(party, Agenda { due: Some(due), ..Agenda::EMPTY });
        self.skip_if_idle(state);
        Sleeper { due, _hold: Hold { clock: self.clone(), party, relock } }
    }

    /// Moves on to the next time that is waited for. Not past a time that has come: those who
    /// waited for it have yet to act.
    fn skip_if_idle(&self, state: &mut State) {
        if state.steps > 0 || state.locks.saturating_add(state.work) > 0 {
            return;
        }
        let now = self.shared.system.now() + state.skipped;
        let Some((due, _)) = state.due.first().copied() else { return };
        if due > now {
            state.skipped = state.skipped + due.since(now);
            self.shared.skipped.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unlock(&mut self) -> Result<(), NotLocked> {
        let steps = i64::try_from(self.steps).unwrap_or(i64::MAX);
        if self.locks.saturating_add(self.work).saturating_add(steps) <= 0 {
            return Err(NotLocked);
        }
        self.locks -= 1;
        Ok(())
    }

    fn newcomer(&mut self) -> Party {
        self.next_sleeper += 1;
        Party::Sleeper(self.next_sleeper)
    }

    fn set(&mut self, party: Party, agenda: Agenda) {
        let before = if agenda == Agenda::EMPTY {
            self.agendas.remove(&party)
        } else {
            self.agendas.insert(party, agenda)
        };
        if let Some(before) = before {
            self.steps -= u64::from(before.steps);
            self.work -= i64::from(before.work);
            if let Some(due) = before.due {
                self.due.remove(&(due, party));
            }
        }
        self.steps += u64::from(agenda.steps);
        self.work += i64::from(agenda.work);
        if let Some(due) = agenda.due {
            self.due.insert((due, party));
        }
    }
}

impl Clock for SkippableClock {
    fn now(&self) -> Time {
        let state = self.state();
        self.shared.system.now() + state.skipped
    }

    fn monotonic(&self) -> Span {
        self.shared.system.monotonic()
    }

    fn sleep_until(&self, deadline: Time) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let skipped = clock.shared.skipped.notified();
                let remaining = deadline.since(clock.now());
                if remaining.is_zero() {
                    return;
                }
                tokio::select! {
                    biased;
                    () = skipped => {}
                    () = tokio::time::sleep(remaining.min(NAP_MAX).to_std()) => {}
                }
            }
        })
    }

    fn skippable(&self) -> Option<&SkippableClock> {
        Some(self)
    }
}

/// Keeps time from being passed over.
#[derive(Debug)]
#[must_use = "dropping it lets time be passed over again"]
pub struct Hold {
    clock: SkippableClock,
    party: Party,
    relock: Relock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relock {
    No,
    AtItsEnd,
}

/// A caller that waits for a time; that time is not passed over while it lives.
struct Sleeper {
    due: Time,
    _hold: Hold,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        if self.relock == Relock::AtItsEnd {
            state.locks += 1;
        }
        state.set(self.party, Agenda::EMPTY);
        self.clock.skip_if_idle(&mut state);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Span = Span::from_secs(24 * 3600);

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    fn waits(clock: &SkippableClock, days: i64) -> Agenda {
        Agenda { due: Some(clock.now() + Span::from_secs(days * 24 * 3600)), ..Agenda::EMPTY }
    }

    fn works() -> Agenda {
        Agenda { work: 1, ..Agenda::EMPTY }
    }

    /// Days passed over since the clock was made.
    fn days(clock: &SkippableClock) -> i64 {
        clock.state().skipped.nanos() / DAY.nanos()
    }

    /// Skips are short of whole days by what really passed.
    fn nearly(clock: &SkippableClock) -> i64 {
        (clock.state().skipped + Span::from_secs(60)).nanos() / DAY.nanos()
    }

    #[test]
    fn a_locked_clock_shows_the_system_s_time() {
        let clock = SkippableClock::locked();
        clock.note([(run(1), waits(&clock, 30))]);
        assert_eq!(days(&clock), 0);
    }

    #[test]
    fn an_unlocked_clock_moves_to_the_next_time_that_is_waited_for_and_no_further() {
        let clock = SkippableClock::locked();
        clock.note([(run(1), waits(&clock, 30)), (run(2), waits(&clock, 7))]);
        clock.unlock().unwrap();
        assert_eq!(nearly(&clock), 7);
        // Whoever waited acts, and waits no more.
        clock.note([(run(2), Agenda { steps: 1, ..Agenda::EMPTY })]);
        assert_eq!(nearly(&clock), 7);
        clock.note([(run(2), Agenda::EMPTY)]);
        assert_eq!(nearly(&clock), 30);
    }

    #[test]
    fn nothing_is_passed_over_while_somebody_works() {
        let clock = SkippableClock::unlocked();
        clock.note([(run(1), works()), (run(2), waits(&clock, 7))]);
        assert_eq!(days(&clock), 0);
        clock.note([(run(1), Agenda::EMPTY)]);
        assert_eq!(nearly(&clock), 7);
    }

    #[test]
    fn runs_that_change_together_leave_no_gap() {
        let clock = SkippableClock::unlocked();
        clock.note([(run(1), works()), (run(3), waits(&clock, 7))]);
        clock.note([(run(1), Agenda::EMPTY), (run(2), works())]);
        assert_eq!(days(&clock), 0);
    }

    #[test]
    fn without_anything_to_wait_for_time_goes_its_way() {
        let clock = SkippableClock::unlocked();
        clock.note([(run(1), works())]);
        clock.note([(run(1), Agenda::EMPTY)]);
        assert_eq!(days(&clock), 0);
    }

    #[test]
    fn locks_are_counted_and_cannot_be_taken_twice() {
        let clock = SkippableClock::locked();
        clock.lock();
        clock.note([(run(1), waits(&clock, 7))]);
        clock.unlock().unwrap();
        assert_eq!(days(&clock), 0);
        clock.unlock().unwrap();
        assert_eq!(nearly(&clock), 7);
        assert_eq!(clock.unlock(), Err(NotLocked));
    }

    #[tokio::test]
    async fn a_sleeping_caller_takes_the_time_along_and_locks_it_again() {
        let clock = SkippableClock::locked();
        clock.note([(run(1), waits(&clock, 30))]);
        clock.unlock_and_wait(DAY + DAY).await.unwrap();
        assert_eq!(nearly(&clock), 2);
        clock.unlock().unwrap();
        assert_eq!(nearly(&clock), 30);
    }

    #[tokio::test]
    async fn a_worker_that_sleeps_lets_the_time_of_its_own_work_pass() {
        let clock = SkippableClock::unlocked();
        clock.note([(run(1), works())]);
        clock.unlock_and_wait(DAY).await.unwrap();
        assert_eq!(nearly(&clock), 1);
        assert_eq!(clock.unlock(), Ok(()), "the work counts as a lock again");
        clock.lock();
    }

    #[tokio::test]
    async fn a_sleep_under_a_lock_takes_its_time() {
        let clock = SkippableClock::locked();
        clock.wait_for(clock.now() + Span::from_millis(20)).await;
        assert!(clock.monotonic() >= Span::from_millis(20));
        clock.lock();
        clock.unlock_and_wait(Span::from_millis(20)).await.unwrap();
        assert!(clock.monotonic() >= Span::from_millis(40));
        clock.wait_for(clock.now()).await;
    }

    #[tokio::test]
    async fn a_skip_wakes_those_who_sleep() {
        let clock = SkippableClock::locked();
        let sleeper = tokio::spawn(clock.sleep_until(clock.now() + DAY));
        tokio::time::sleep(Duration::from_millis(1)).await;
        clock.note([(run(1), waits(&clock, 2))]);
        clock.unlock().unwrap();
        sleeper.await.unwrap();
    }

    #[test]
    fn a_hold_keeps_the_time() {
        let clock = SkippableClock::unlocked();
        let hold = clock.hold();
        clock.note([(run(1), waits(&clock, 7))]);
        assert_eq!(days(&clock), 0);
        drop(hold);
        assert_eq!(nearly(&clock), 7);
    }
}
