//! Pages.

use visibility::{Error, Index};
use visibility_query::Predicate;

use crate::support::{closed, filter, namespace, number, open, record, run, settle, upsert};

async fn pages(index: &Index, filter: &Predicate, size: usize) -> Vec<Vec<u64>> {
    let (mut pages, mut token) = (Vec::new(), Vec::new());
    loop {
        let page = index.list(namespace(1), filter, size, &token).await.unwrap();
        pages.push(page.records.iter().map(|record| number(record.run_id)).collect());
        token = page.next_page_token;
        if token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_are_full_and_the_last_one_has_no_token() {
    let index = open();
    for number in 0..9 {
        upsert(&index, record(number, 1)).await;
    }
    settle(&index).await;
    let all = Predicate::everything();
    assert_eq!(pages(&index, &all, 3).await, [vec![8, 7, 6], vec![5, 4, 3], vec![2, 1, 0]]);
    assert_eq!(pages(&index, &all, 5).await, [vec![8, 7, 6, 5, 4], vec![3, 2, 1, 0]]);
    assert_eq!(pages(&index, &all, 0).await.len(), 1);
}

#[tokio::test]
async fn runs_that_started_and_closed_in_the_same_instant_are_listed_once() {
    let index = open();
    for number in 0..20 {
        let mut record = record(number, 1);
        record.start_time = model::Time::from_nanos(5);
        upsert(&index, if number < 10 { record } else { closed(record, 2, 9) }).await;
    }
    settle(&index).await;
    let listed: Vec<u64> = pages(&index, &filter(""), 3).await.concat();
    assert_eq!(listed, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn writes_between_pages_neither_repeat_nor_skip_runs_that_stay() {
    let index = open();
    for number in 0..10 {
        upsert(&index, closed(record(number, 1), 2, 100 + number.cast_signed())).await;
    }
    settle(&index).await;
    let first = index.list(namespace(1), &filter(""), 4, &[]).await.unwrap();
    let shown: Vec<u64> = first.records.iter().map(|record| number(record.run_id)).collect();
    assert_eq!(shown, [9, 8, 7, 6]);
    // One that was shown goes, new ones come in front, and one comes behind.
    let delete =
        visibility::Change::Delete { namespace_id: namespace(1), run_id: run(6), version: 2 };
    crate::support::submit(&index, delete).await;
    upsert(&index, record(50, 1)).await;
    upsert(&index, closed(record(51, 1), 2, 500)).await;
    upsert(&index, closed(record(52, 1), 2, 50)).await;
    settle(&index).await;
    let rest = index.list(namespace(1), &filter(""), 100, &first.next_page_token).await.unwrap();
    let shown: Vec<u64> = rest.records.iter().map(|record| number(record.run_id)).collect();
    assert_eq!(shown, [5, 4, 3, 2, 1, 0, 52]);
}

#[tokio::test]
async fn a_foreign_page_token_is_refused() {
    let index = open();
    for token in [b"x".as_slice(), &[1; 10], &[0; 33]] {
        let result = index.list(namespace(1), &filter(""), 10, token).await;
        assert!(matches!(result, Err(Error::PageToken)));
    }
}
