//! Versions, deletions, counters.

use visibility::{Change, Index, Location, NAMESPACE_DIVISION};
use visibility_query::{AttributeType, SystemAttribute, Value};

use crate::support::{
    closed, filter, listed, namespace, open, payload, record, run, settle, slot, submit, upsert,
};

#[tokio::test]
async fn a_list_shows_what_was_submitted_before_it_open_runs_first() {
    let index = open();
    upsert(&index, closed(record(1, 1), 2, 9_000_000_000)).await;
    upsert(&index, record(2, 1)).await;
    upsert(&index, record(3, 1)).await;
    upsert(&index, closed(record(4, 1), 3, 9_500_000_000)).await;
    assert_eq!(listed(&index, "").await, [3, 2, 4, 1]);
}

#[tokio::test]
async fn an_older_record_never_replaces_a_newer() {
    let index = open();
    upsert(&index, closed(record(1, 5), 2, 9_000_000_000)).await;
    settle(&index).await;
    upsert(&index, record(1, 4)).await;
    assert!(listed(&index, "ExecutionStatus = 'Running'").await.is_empty());
    assert_eq!(listed(&index, "ExecutionStatus = 'Completed'").await, [1]);
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 1);
}

#[tokio::test]
async fn within_a_batch_the_newest_record_wins_whatever_the_order() {
    let index = Index::open(&Location::Memory).unwrap();
    for version in [2, 5, 3] {
        let status = i32::try_from(version).unwrap();
        let change = Change::Upsert(Box::new(closed(record(1, version), status, 9_000_000_000)));
        index.try_submit(slot(), version, change).unwrap();
    }
    assert_eq!(listed(&index, "ExecutionStatus = 5").await, [1]);
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_deleted_run_stays_away_when_an_older_record_comes_late() {
    let index = open();
    let delete = Change::Delete { namespace_id: namespace(1), run_id: run(1), version: 6 };
    upsert(&index, record(1, 5)).await;
    settle(&index).await;
    submit(&index, delete.clone()).await;
    settle(&index).await;
    upsert(&index, record(1, 6)).await;
    assert!(listed(&index, "").await.is_empty());
    // Also when the deletion comes before anything else.
    let delete = Change::Delete { namespace_id: namespace(1), run_id: run(2), version: 6 };
    submit(&index, delete).await;
    settle(&index).await;
    upsert(&index, record(2, 3)).await;
    assert!(listed(&index, "").await.is_empty());
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 0);
}

#[tokio::test]
async fn a_deletion_older_than_the_record_leaves_it() {
    let index = open();
    upsert(&index, record(1, 5)).await;
    settle(&index).await;
    let delete = Change::Delete { namespace_id: namespace(1), run_id: run(1), version: 4 };
    submit(&index, delete).await;
    assert_eq!(listed(&index, "").await, [1]);
}

#[tokio::test]
async fn new_search_attributes_replace_the_old_ones() {
    let index = open();
    let mut first = record(1, 1);
    first
        .search_attributes
        .insert("Kl".into(), payload(AttributeType::KeywordList, r#"["a","b"]"#));
    first.search_attributes.insert("Txt".into(), payload(AttributeType::Text, r#""old words""#));
    upsert(&index, first).await;
    assert_eq!(listed(&index, "Kl = 'a' AND Txt = 'WORDS'").await, [1]);
    let mut second = record(1, 2);
    second.search_attributes.insert("Kl".into(), payload(AttributeType::KeywordList, r#"["b"]"#));
    upsert(&index, second).await;
    assert!(listed(&index, "Kl = 'a'").await.is_empty());
    assert_eq!(listed(&index, "Kl = 'b' AND Txt IS NULL").await, [1]);
    let delete = Change::Delete { namespace_id: namespace(1), run_id: run(1), version: 3 };
    submit(&index, delete).await;
    settle(&index).await;
    upsert(&index, record(9, 1)).await;
    assert!(listed(&index, "Kl = 'b'").await.is_empty());
    assert_eq!(listed(&index, "Kl != 'b'").await, [9]);
}

#[tokio::test]
async fn runs_of_a_division_are_hidden_unless_asked_for() {
    let index = open();
    upsert(&index, record(1, 1)).await;
    let mut schedule = record(2, 1);
    let division = payload(AttributeType::Keyword, r#""TemporalScheduler""#);
    schedule.search_attributes.insert(NAMESPACE_DIVISION.to_owned(), division);
    upsert(&index, schedule).await;
    assert_eq!(listed(&index, "").await, [1]);
    assert_eq!(listed(&index, "TemporalNamespaceDivision = 'TemporalScheduler'").await, [2]);
    assert_eq!(listed(&index, "NamespaceDivision IS NOT NULL").await, [2]);
    assert_eq!(
        listed(&index, "TemporalNamespaceDivision IS NULL OR WorkflowId = 'workflow-2'").await,
        [2, 1]
    );
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 1);
    let any = filter("TemporalNamespaceDivision IS NOT NULL OR ExecutionStatus = 1");
    assert_eq!(index.count(namespace(1), &any).await.unwrap(), 2);
    let division = SystemAttribute::TemporalNamespaceDivision.into();
    let groups = index.count_by(namespace(1), &any, &division).await.unwrap();
    let group = |name: &str| (Value::String(name.to_owned()), 1);
    assert_eq!(groups, [group(""), group("TemporalScheduler")]);
}

#[tokio::test]
async fn counts_by_status_follow_every_change() {
    let index = open();
    let status = SystemAttribute::ExecutionStatus.into();
    for number in 0..10 {
        upsert(&index, record(number, 1)).await;
    }
    settle(&index).await;
    for number in 0..4 {
        upsert(&index, closed(record(number, 2), 2, 9_000_000_000)).await;
    }
    let delete = Change::Delete { namespace_id: namespace(1), run_id: run(0), version: 9 };
    submit(&index, delete).await;
    settle(&index).await;
    let expected = [(Value::Int(1), 6), (Value::Int(2), 3)];
    for text in ["", "WorkflowType = 'order'", "TaskQueue != 'none'", "WorkflowId != ''"] {
        let groups = index.count_by(namespace(1), &filter(text), &status).await.unwrap();
        assert_eq!(groups, expected, "{text}");
        assert_eq!(index.count(namespace(1), &filter(text)).await.unwrap(), 9);
    }
    let completed = filter("ExecutionStatus != 'Running'");
    assert_eq!(index.count(namespace(1), &completed).await.unwrap(), 3);
}

#[tokio::test]
async fn a_deleted_namespace_is_empty_at_once_and_its_name_can_be_used_again() {
    let index = open();
    for number in 0..5_000 {
        let mut record = record(number, 1);
        record.search_attributes.insert("Kw".into(), payload(AttributeType::Keyword, r#""a""#));
        upsert(&index, record).await;
    }
    let mut other = record(1, 1);
    other.namespace_id = namespace(2);
    upsert(&index, other).await;
    submit(&index, Change::DeleteNamespace(namespace(1))).await;
    settle(&index).await;
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 0);
    assert!(listed(&index, "Kw = 'a'").await.is_empty());
    upsert(&index, record(7, 1)).await;
    assert_eq!(listed(&index, "").await, [7]);
    assert_eq!(index.count(namespace(2), &filter("WorkflowId != ''")).await.unwrap(), 1);
}

#[tokio::test]
async fn inline_every_change_shows_at_once() {
    let index = Index::open(&Location::Inline).unwrap();
    upsert(&index, record(1, 1)).await;
    let page = index.list(namespace(1), &filter(""), 10, &[]).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(index.flushed_through(slot()), 1);
    submit(&index, Change::DeleteNamespace(namespace(1))).await;
    assert_eq!(index.count(namespace(1), &filter("")).await.unwrap(), 0);
}
