use matching::{Matched, PollRequest, RateLimitSource, TaskQueueKind, WorkerVersion};

use crate::support::{Bench, matched, queue, queued_id, sleep, task};

#[tokio::test(start_paused = true)]
async fn tasks_over_the_workers_limit_come_when_it_allows_them() {
    let bench = Bench::new();
    let key = queue("q");
    for id in 1..=6 {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    let mut times = Vec::new();
    for _ in 0..6 {
        let request = PollRequest { max_tasks_per_second: Some(2.0), ..bench.request("worker") };
        bench.matching.poll(&key, request).await.unwrap();
        times.push(bench.millis());
    }
    // Two are saved up; then one every half second (timers are exact to a millisecond).
    assert_eq!(times[..2], [0, 0]);
    for (time, expected) in times[2..].iter().zip([500, 1000, 1500, 2000]) {
        assert!((expected..=expected + 5).contains(time), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_waits_already_is_woken_by_the_limit() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(1.0));
    let first = bench.start_worker_poll(&key, "first").await;
    let second = bench.start_worker_poll(&key, "second").await;
    for id in [1, 2] {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    assert_eq!(queued_id(&matched(first).await), 1);
    assert_eq!(bench.millis(), 0);
    assert_eq!(queued_id(&matched(second).await), 2);
    assert!((1000..1005).contains(&bench.millis()));
}

#[tokio::test(start_paused = true)]
async fn reservations_count_against_the_limit_unless_they_come_to_nothing() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(1.0));
    let _first = bench.start_worker_poll(&key, "first").await;
    let _second = bench.start_worker_poll(&key, "second").await;
    drop(bench.matching.reserve(&key, Default::default()).unwrap());
    let reservation = bench.matching.reserve(&key, Default::default()).unwrap();
    assert!(bench.matching.reserve(&key, Default::default()).is_none());
    reservation.fulfil("task".to_owned()).unwrap();
    sleep(1000).await;
    assert!(bench.matching.reserve(&key, Default::default()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_queue_goes_on_when_the_limit_is_lifted() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(0.0));
    let poll = bench.start_worker_poll(&key, "worker").await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    sleep(30_000).await;
    assert!(!poll.is_finished());
    bench.limit(&key, None);
    assert_eq!(queued_id(&matched(poll).await), 1);
    assert!((30_000..30_010).contains(&bench.millis()));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_stops_the_queue_is_forgotten_after_a_minute() {
    let bench = Bench::new();
    let key = queue("q");
    let stopping = PollRequest { max_tasks_per_second: Some(0.0), ..bench.request("worker") };
    let _stopping = bench.start_poll(&key, stopping).await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    sleep(30_000).await;
    let poll = bench.start_worker_poll(&key, "other").await;
    let source = |bench: &Bench| bench.matching.describe(&queue("q")).unwrap().rate_limit.source;
    assert_eq!(source(&bench), RateLimitSource::Worker);
    assert_eq!(queued_id(&matched(poll).await), 1);
    assert!((60_000..60_010).contains(&bench.millis()), "{}", bench.millis());
    assert_eq!(source(&bench), RateLimitSource::System);
}

#[tokio::test(start_paused = true)]
async fn the_versions_of_a_queue_share_its_limit() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(2.0));
    let version = |build_id: &str| key.with_version(Some(WorkerVersion::new("shop", build_id)));
    let (one, two) = (version("1"), version("2"));
    for (id, key) in [(1, &one), (2, &two), (3, &one), (4, &two)] {
        bench.matching.offer(key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    let mut at = Vec::new();
    for key in [&one, &two, &one, &two] {
        assert!(matches!(bench.poll(key, "worker").await, Matched::Queued(_)));
        at.push(bench.millis());
    }
    assert!(at[3] >= 1000, "four tasks at two a second: {at:?}");
}
