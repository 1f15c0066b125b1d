use matching::{Matched, TaskQueueKind};

use crate::support::{Bench, matched, queue, queued_id, task, task_of_priority};

#[tokio::test(start_paused = true)]
async fn tasks_wait_in_order_of_priority_and_age() {
    let bench = Bench::new();
    let key = queue("q");
    for (id, priority) in [(4, 0), (2, 0), (1, 5), (9, 1)] {
        bench.matching.offer(&key, TaskQueueKind::Normal, task_of_priority(id, priority)).unwrap();
    }
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(queued_id(&bench.poll(&key, "worker").await));
    }
    assert_eq!(order, [9, 2, 4, 1]);
    assert_eq!(bench.millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_offered_again_keeps_its_place() {
    let bench = Bench::new();
    let key = queue("q");
    for id in [1, 2] {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    let Matched::Queued(first) = bench.poll(&key, "worker").await else { panic!("nothing queued") };
    bench.matching.offer(&key, TaskQueueKind::Normal, first).unwrap();
    assert_eq!(queued_id(&bench.poll(&key, "worker").await), 1);
    assert_eq!(queued_id(&bench.poll(&key, "worker").await), 2);
}

#[tokio::test(start_paused = true)]
async fn an_offer_wakes_a_poll_that_waits() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    assert_eq!(queued_id(&matched(poll).await), 1);
    assert_eq!((bench.millis(), bench.matching.totals().backlog), (0, 0));
}
