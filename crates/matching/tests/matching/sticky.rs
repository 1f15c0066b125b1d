use matching::{Matched, OfferRefused, PollRequest, TaskQueueKind};

use crate::support::{Bench, matched, queue, queued_id, sleep, task};

#[tokio::test(start_paused = true)]
async fn a_sticky_queue_without_its_worker_refuses() {
    let bench = Bench::new();
    let key = queue("sticky");
    let offer = |id| bench.matching.offer(&key, TaskQueueKind::Sticky, task(id));
    assert_eq!(offer(1), Err(OfferRefused::StickyWorkerGone));
    assert_eq!(bench.matching.totals().queues, 0);

    assert_eq!(bench.poll(&key, "worker").await, Matched::Empty);
    sleep(9_999).await;
    assert!(bench.matching.is_sticky_live(&key));
    offer(2).unwrap();
    sleep(1).await;
    assert!(!bench.matching.is_sticky_live(&key));
    assert_eq!(offer(3), Err(OfferRefused::StickyWorkerGone));
    // What it took is still there for a worker that comes back.
    assert_eq!(queued_id(&bench.poll(&key, "worker").await), 2);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_vanishes_ends_its_sticky_queue() {
    let bench = Bench::new();
    let key = queue("sticky");
    let poll = bench.start_worker_poll(&key, "worker").await;
    sleep(20_000).await;
    assert!(bench.matching.is_sticky_live(&key));
    poll.abort();
    assert!(poll.await.is_err());
    assert!(!bench.matching.is_sticky_live(&key));
}

#[tokio::test(start_paused = true)]
async fn unloading_gives_back_what_waited_and_answers_the_polls() {
    let bench = Bench::new();
    let key = queue("sticky");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reserved = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, Default::default()).unwrap();
    assert!(bench.matching.unload(&key).is_empty());
    assert_eq!(matched(reserved).await, Matched::Empty);
    assert!(!bench.matching.is_sticky_live(&key));
    // What was on its way still arrives.
    reservation.fulfil("task".to_owned()).unwrap();
    assert_eq!(matched(poll).await, Matched::Started("task".to_owned()));

    let stopped = PollRequest { max_tasks_per_second: Some(0.0), ..bench.request("worker") };
    let poll = bench.start_poll(&key, stopped).await;
    for id in [1, 2] {
        bench.matching.offer(&key, TaskQueueKind::Sticky, task(id)).unwrap();
    }
    assert_eq!(bench.matching.unload(&key), [task(1), task(2)]);
    assert_eq!(matched(poll).await, Matched::Empty);
    assert_eq!(bench.matching.totals(), Default::default());
    assert!(bench.matching.unload(&key).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reservation_dropped_after_unloading_answers_the_poll() {
    let bench = Bench::new();
    let key = queue("sticky");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, Default::default()).unwrap();
    bench.matching.unload(&key);
    drop(reservation);
    assert_eq!(matched(poll).await, Matched::Empty);
    assert_eq!(bench.millis(), 0);
}
