//! Filters on an index with a few runs.

use std::fmt::Write as _;

use model::Time;
use visibility::{Error, Execution, Index};
use visibility_query::AttributeType;

use crate::support::{
    closed, filter, listed, namespace, open, payload, record, run, settle, upsert,
};

/// Run 1 is open and has attributes, 2 is closed and has others, 3 is open and has none, 4 is a
/// child of 1.
async fn some_runs() -> Index {
    let index = open();
    let mut first = record(1, 1);
    for (name, kind, json) in [
        ("Kw", AttributeType::Keyword, r#""abc""#),
        ("Kl", AttributeType::KeywordList, r#"["a","b"]"#),
        ("Txt", AttributeType::Text, r#""the quick Brown-fox""#),
        ("Num", AttributeType::Int, "5"),
        ("Dbl", AttributeType::Double, "1.5"),
        ("Yes", AttributeType::Bool, "true"),
        ("At", AttributeType::Datetime, r#""2026-01-02T03:04:05Z""#),
    ] {
        first.search_attributes.insert(name.to_owned(), payload(kind, json));
    }
    let mut second = closed(record(2, 1), 5, 4_000_000_000);
    for (name, kind, json) in [
        ("Kw", AttributeType::Keyword, r#""abd""#),
        ("Kl", AttributeType::KeywordList, r#"["b","c"]"#),
        ("Txt", AttributeType::Text, r#""slow fox""#),
        ("Num", AttributeType::Int, "7"),
    ] {
        second.search_attributes.insert(name.to_owned(), payload(kind, json));
    }
    let third = record(3, 1);
    let mut child = record(4, 1);
    child.parent = Some(Execution { workflow_id: "workflow-1".to_owned(), run_id: run(1) });
    child.root = child.parent.clone();
    for record in [first, second, third, child] {
        upsert(&index, record).await;
    }
    settle(&index).await;
    index
}

#[tokio::test]
async fn custom_attributes_filter_as_on_the_reference() {
    let index = some_runs().await;
    for (text, expected) in [
        ("Kw = 'abc'", vec![1]),
        ("Kw = 'ABC'", vec![]),
        ("Kw != 'abc'", vec![2]),
        ("NOT Kw IN ('abc')", vec![2]),
        ("Kw > 'abc'", vec![2]),
        ("Kw BETWEEN 'abc' AND 'abd'", vec![1, 2]),
        ("Kw STARTS_WITH 'ab'", vec![1, 2]),
        ("Kw CONTAINS 'bc'", vec![1]),
        ("Kw NOT CONTAINS 'bc'", vec![2]),
        ("Kl CONTAINS 'c'", vec![2]),
        ("Kl NOT CONTAINS 'c'", vec![4, 3, 1]),
        ("Kw NOT STARTS_WITH 'abc'", vec![2]),
        ("Kw IS NULL", vec![4, 3]),
        ("Kl = 'b'", vec![1, 2]),
        ("Kl != 'a'", vec![4, 3, 2]),
        ("Kl IN ('a','c')", vec![1, 2]),
        ("Kl NOT IN ('a')", vec![4, 3, 2]),
        ("Txt = 'QUICK'", vec![1]),
        ("Txt = 'qui'", vec![]),
        ("Txt = 'big fox'", vec![1, 2]),
        ("Txt != 'quick'", vec![4, 3, 2]),
        ("Txt IS NOT NULL", vec![1, 2]),
        ("Num = 5", vec![1]),
        ("Num = 5.5", vec![]),
        ("Num != 5", vec![2]),
        ("Num < 9223372036854775808", vec![1, 2]),
        ("Num NOT BETWEEN 1 AND 6", vec![2]),
        ("Dbl > 1", vec![1]),
        ("Yes = true", vec![1]),
        ("Yes != true", vec![]),
        ("At = '2026-01-02T04:04:05+01:00'", vec![1]),
    ] {
        assert_eq!(listed(&index, text).await, expected, "{text}");
        let count = index.count(namespace(1), &filter(text)).await.unwrap();
        assert_eq!(count, expected.len() as u64, "{text}");
    }
}

#[tokio::test]
async fn system_attributes_filter_as_on_the_reference() {
    let index = some_runs().await;
    let (first, second) = (run(1), run(2));
    for (text, expected) in [
        ("CloseTime IS NULL".to_owned(), vec![4, 3, 1]),
        ("NOT CloseTime > 5".to_owned(), vec![]),
        ("CloseTime >= 4000000000".to_owned(), vec![2]),
        ("HistoryLength > 0".to_owned(), vec![2]),
        ("StateTransitionCount IS NULL".to_owned(), vec![4, 3, 1]),
        ("ExecutionDuration > '2s'".to_owned(), vec![2]),
        ("ExecutionDuration > '1h'".to_owned(), vec![]),
        ("StartTime <= 1000000002".to_owned(), vec![1, 2]),
        ("ExecutionStatus IN ('Terminated', 'Failed')".to_owned(), vec![2]),
        ("ParentWorkflowId IS NULL".to_owned(), vec![3, 1, 2]),
        ("ParentWorkflowId = 'workflow-1'".to_owned(), vec![4]),
        (format!("ParentRunId = '{first}'"), vec![4]),
        ("RootWorkflowId = 'workflow-1'".to_owned(), vec![4, 1]),
        (format!("RootRunId = '{first}'"), vec![4, 1]),
        (format!("RootRunId != '{first}'"), vec![3, 2]),
        ("RootRunId IS NULL".to_owned(), vec![]),
        (format!("RunId = '{second}'"), vec![2]),
        (format!("RunId IN ('{second}', 'none', '{first}')"), vec![1, 2]),
        (format!("RunId > '{second}'"), vec![4, 3]),
        ("RunId STARTS_WITH '00000000-0000-0000'".to_owned(), vec![4, 3, 1, 2]),
        ("RunId = 'x'".to_owned(), vec![]),
        ("WorkflowId STARTS_WITH 'workflow-' AND TaskQueue = 'queue'".to_owned(), vec![4, 3, 1, 2]),
    ] {
        assert_eq!(listed(&index, &text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_submitted() {
    let index = open();
    let mut submitted = closed(record(1, 3), 6, 77);
    submitted.execution_time = Time::from_nanos(33);
    submitted.parent = Some(Execution { workflow_id: "p".to_owned(), run_id: run(8) });
    submitted.root = Some(Execution { workflow_id: "r".to_owned(), run_id: run(9) });
    let memo = payload(AttributeType::Keyword, "\"m\"");
    submitted.memo =
        Some(api::common::v1::Memo { fields: [("k".to_owned(), memo)].into_iter().collect() });
    let attribute = payload(AttributeType::Keyword, "\"v\"");
    submitted.search_attributes.insert("Kw".to_owned(), attribute);
    upsert(&index, submitted.clone()).await;
    settle(&index).await;
    let page = index.list(namespace(1), &filter(""), 0, &[]).await.unwrap();
    assert_eq!(page.records, [submitted]);
}

#[tokio::test]
async fn long_filters_run_and_too_long_ones_are_refused() {
    let index = some_runs().await;
    let chain = |length: usize| {
        let mut text = "WorkflowId = 'workflow-1'".to_owned();
        for number in 0..length {
            write!(text, " OR WorkflowId = '{number}'").unwrap();
        }
        text
    };
    assert_eq!(listed(&index, &chain(20_000)).await, [1]);
    let result = index.list(namespace(1), &filter(&chain(40_000)), 0, &[]).await;
    assert!(matches!(result, Err(Error::TooManyValues { .. })), "{result:?}");
}
