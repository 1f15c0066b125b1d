//! Every checker notices the broken promise that it is there for.

#[cfg(test)]
mod tests {
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
    fn every_broken_promise_is_noticed() {
        let unnoticed: Vec<_> =
            Broken::value_variants().iter().filter(|broken| !is_noticed(**broken)).collect();
        assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
    }
}
