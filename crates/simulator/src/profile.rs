//! Which faults and which limits belong to a seed.

use std::time::Duration;

use history::Config;
use matching::MatchingLimits;
use model::Span;
use storage_memory::Faults;

use crate::{dice::Dice, mortal_store::Doom};

/// How long closed runs are kept.
pub(crate) const RETENTION: Span = Span::from_secs(24 * 3600);

/// What a simulation is like.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The store's faults while it is not healthy.
    pub(crate) faults: Faults,
    /// How often the node dies.
    pub(crate) deaths: u64,
    /// Deaths of 1,000 that come with a commit and not with a time.
    pub(crate) deaths_at_commits_per_mille: u64,
    /// The visibility index outlives the node.
    pub(crate) keeps_index: bool,
    /// How long workflows are started and faults happen.
    pub(crate) turmoil: Span,
    pub(crate) workflow_workers: u64,
    pub(crate) activity_workers: u64,
    pub(crate) nexus_workers: u64,
    /// When the first worker comes.
    pub(crate) workers_from: Span,
    /// Pauses of a worker between polls of 1,000.
    pub(crate) worker_pauses_per_mille: u64,
    /// Tasks of 1,000 with which a worker dies.
    pub(crate) worker_deaths_per_mille: u64,
    /// Calls of 1,000 whose connection breaks.
    pub(crate) broken_calls_per_mille: u64,
    /// Workflows are put into so many slots; 0: into all.
    pub(crate) slots: usize,
    /// One workflow starts more at once than a slot keeps in memory.
    pub(crate) large: bool,
    /// The clock is set now and then.
    pub(crate) clock_jumps: bool,
    pub(crate) config: Config,
    pub(crate) matching: MatchingLimits,
}

impl Profile {
    pub(crate) fn draw(dice: &Dice) -> Self {
        let calm = dice.chance(150);
        let cache_bytes_max = match dice.below(4) {
            0 => 0,
            1 => 32 * 1024,
            _ => Config::default().cache_bytes_max,
        };
        Self {
            faults: if calm { quiet(dice) } else { faults(dice) },
            deaths: if dice.chance(500) { dice.between(1, 4) } else { 0 },
            deaths_at_commits_per_mille: 0,
            keeps_index: false,
            turmoil: dice.span(5_000, 40_000),
            workflow_workers: dice.between(1, 3),
            activity_workers: dice.between(1, 4),
            nexus_workers: 2,
            workers_from: if dice.chance(250) { dice.span(0, 20_000) } else { Span::ZERO },
            worker_pauses_per_mille: if dice.chance(300) { 300 } else { 10 },
            worker_deaths_per_mille: if calm { 0 } else { 25 },
            broken_calls_per_mille: if calm { 0 } else { dice.between(0, 60) },
            slots: if dice.chance(400) { 2 } else { 0 },
            large: dice.chance(60),
            clock_jumps: dice.chance(250),
            config: Config { cache_bytes_max, ..Config::default() },
            matching: matching_limits(dice),
        }
    }
}

impl Profile {
    /// Adds deaths that come with commits, to most simulations.
    pub(crate) fn add_deaths(&mut self, dice: &Dice) {
        self.keeps_index = dice.chance(500);
        if dice.chance(700) {
            self.deaths += dice.between(1, 4);
            self.deaths_at_commits_per_mille = 700;
        }
    }
}

impl Doom {
    /// Mostly soon: what is under way when a life begins is what the last one left.
    pub(crate) fn draw(dice: &Dice) -> Self {
        let most = dice.pick(&[2, 10, 40]).unwrap_or(2);
        Self { commits: dice.below(most), is_written: dice.chance(500) }
    }
}

fn millis(dice: &Dice, most: u64) -> Duration {
    Duration::from_millis(dice.between(0, most))
}

fn quiet(dice: &Dice) -> Faults {
    Faults { commit_delay: Duration::ZERO..=millis(dice, 20), ..Faults::default() }
}

fn faults(dice: &Dice) -> Faults {
    let rate = |most: u64| {
        let rate = if dice.chance(500) { dice.between(1, most) } else { 0 };
        u16::try_from(rate).unwrap_or(0)
    };
    Faults {
        refuse_per_mille: rate(100),
        lose_ack_per_mille: rate(100),
        crash_before_per_mille: rate(40),
        crash_after_per_mille: rate(40),
        slow_read_per_mille: rate(300),
        slow_read_delay: Duration::from_millis(1)..=Duration::from_millis(1) + millis(dice, 50),
        restart_delay: Duration::from_millis(1)..=Duration::from_millis(1) + millis(dice, 500),
        ..quiet(dice)
    }
}

fn matching_limits(dice: &Dice) -> MatchingLimits {
    let mut limits = MatchingLimits::default();
    if dice.chance(400) {
        limits.drained_slots_max = 1;
        limits.queue.backlog_max = usize::try_from(dice.between(1, 6)).unwrap_or(1);
        limits.queue.backlog_low_water = limits.queue.backlog_max / 2;
    }
    limits
}
