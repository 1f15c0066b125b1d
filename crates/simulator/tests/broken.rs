//! Every checker notices the broken promise that it is there for. Without optimisation it takes
//! minutes; the stage `sim` plays it with every run: `simulator --break-all`.

#[cfg(test)]
mod tests {
    use simulator::break_all;

    #[test]
    #[ignore = "takes minutes where the simulator is not optimised"]
    fn every_broken_promise_is_noticed() {
        let notices = break_all().unwrap();
        let unnoticed: Vec<_> = notices.iter().filter(|notice| notice.seed.is_none()).collect();
        assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
    }
}
