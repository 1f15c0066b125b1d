//! Whether the checkers notice a promise that is broken.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use clap::ValueEnum as _;
use parking_lot::Mutex;

use crate::{Broken, Settings, simulate};

/// Seeds until one of them has what a promise is about.
const SEEDS_MAX: u64 = 60;

/// Workflows of each of these seeds.
const WORKFLOWS: usize = 6;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Which.
    pub broken: Broken,
    /// The seed that noticed it first; none when nobody did.
    pub seed: Option<u64>,
}

/// Breaks every promise, one after the other for each processor, until a checker notices.
///
/// # Errors
/// When a simulation cannot be run.
pub fn break_all() -> io::Result<Vec<Notice>> {
    let (next, notices) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let player = || -> io::Result<()> {
        while let Some(broken) = Broken::value_variants().get(next.fetch_add(1, Ordering::Relaxed))
        {
            let (broken, seed) = (*broken, first_notice(*broken)?);
            notices.lock().push(Notice { broken, seed });
        }
        Ok(())
    };
    thread::scope(|scope| {
        let players = thread::available_parallelism()?.get();
        let players: Vec<_> = (0..players).map(|_| scope.spawn(player)).collect();
        let joined = |player: thread::ScopedJoinHandle<'_, io::Result<()>>| {
            player.join().unwrap_or_else(|_| Err(io::Error::other("a player panicked")))
        };
        players.into_iter().try_for_each(joined)
    })?;
    Ok(notices.into_inner())
}

fn first_notice(broken: Broken) -> io::Result<Option<u64>> {
    for seed in 0..SEEDS_MAX {
        let settings = Settings { seed, workflows: WORKFLOWS, broken: Some(broken) };
        let found = simulate(settings)?.violations;
        let accusations = broken.accusations();
        if found.iter().any(|text| accusations.iter().any(|known| text.contains(known))) {
            return Ok(Some(seed));
        }
    }
    Ok(None)
}
