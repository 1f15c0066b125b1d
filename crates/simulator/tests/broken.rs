//! Every checker notices the broken promise that it is there for. Played by hand, for it takes minutes:
//! `cargo test --profile sim --package simulator --test broken -- --ignored`.

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use clap::ValueEnum as _;
    use simulator::{Broken, Settings, simulate};

    /// Seeds until one of them has what a promise is about.
    const SEEDS_MAX: u64 = 40;

    fn is_noticed(broken: Broken) -> bool {
        (0..SEEDS_MAX).any(|seed| {
            let settings = Settings { seed, workflows: 6, broken: Some(broken) };
            let found = simulate(settings).unwrap().violations;
            let accusations = broken.accusations();
            found.iter().any(|text| accusations.iter().any(|known| text.contains(known)))
        })
    }

    #[test]
    #[ignore = "takes minutes where the simulator is not optimised"]
    fn every_broken_promise_is_noticed() {
        let next = AtomicUsize::new(0);
        let take = || Broken::value_variants().get(next.fetch_add(1, Ordering::Relaxed));
        let try_some = || -> Vec<Broken> {
            std::iter::from_fn(take).copied().filter(|broken| !is_noticed(*broken)).collect()
        };
        let unnoticed: Vec<_> = thread::scope(|scope| {
            let players = thread::available_parallelism().unwrap().get();
            let players: Vec<_> = (0..players).map(|_| scope.spawn(try_some)).collect();
            players.into_iter().flat_map(|player| player.join().unwrap()).collect()
        });
        assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
    }
}
