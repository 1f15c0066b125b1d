use matching::{Matched, TaskQueueKind};

use crate::support::{Bench, matched, queue, queued_id, sleep, started, task};

#[tokio::test(start_paused = true)]
async fn a_drain_answers_all_polls_but_delivers_what_is_on_its_way() {
    let bench = Bench::new();
    let reserved = bench.start_worker_poll(&queue("q"), "a").await;
    let released = bench.start_worker_poll(&queue("q"), "b").await;
    let waiting = bench.start_worker_poll(&queue("r"), "c").await;
    let first = bench.matching.reserve(&queue("q"), Default::default()).unwrap();
    let second = bench.matching.reserve(&queue("q"), Default::default()).unwrap();
    bench.matching.shutdown();
    assert_eq!(matched(waiting).await, Matched::Empty);
    assert_eq!(bench.poll(&queue("new"), "d").await, Matched::Empty);
    first.fulfil("task".to_owned()).unwrap();
    drop(second);
    assert_eq!(matched(reserved).await, started("task"));
    assert_eq!(matched(released).await, Matched::Empty);
    assert_eq!((bench.millis(), bench.matching.totals().pollers), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_worker_gets_no_more_tasks_and_the_others_do() {
    let bench = Bench::new();
    let key = queue("q");
    let stopped = bench.start_worker_poll(&key, "stopped").await;
    let also_stopped = bench.start_worker_poll(&key, "stopped").await;
    let other = bench.start_worker_poll(&key, "other").await;
    let queues = [key.clone()];
    assert_eq!(bench.matching.stop_worker(key.namespace_id, "", "", &queues), 0);
    assert_eq!(bench.stop("stopped", &key), 2);
    assert_eq!(matched(stopped).await, Matched::Empty);
    assert_eq!(matched(also_stopped).await, Matched::Empty);
    // A poll that was on its way when the worker stopped.
    assert_eq!(bench.poll(&key, "stopped").await, Matched::Empty);
    assert_eq!(bench.millis(), 0);
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    assert_eq!(queued_id(&matched(other).await), 1);
    sleep(70_000).await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(2)).unwrap();
    assert_eq!(queued_id(&bench.poll(&key, "stopped").await), 2);
}

#[tokio::test(start_paused = true)]
async fn a_poll_may_come_after_its_worker_stopped_and_first_at_its_queue() {
    let bench = Bench::new();
    let key = queue("q");
    assert_eq!(bench.stop("stopped", &key), 0);
    assert_eq!(bench.poll(&key, "stopped").await, Matched::Empty);
    assert_eq!(bench.poll(&queue("another"), "stopped").await, Matched::Empty);
    // Its own queue is gone with it.
    bench.matching.unload(&key);
    assert_eq!(bench.poll(&key, "stopped").await, Matched::Empty);
    assert_eq!(bench.millis(), 0);
}
