//! Records of the whole cell.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::Subject;
use crate::{MetaError, MetaRecord, Store};

fn key(name: &'static str) -> Bytes {
    Bytes::from_static(name.as_bytes())
}

async fn write(
    store: &Arc<dyn Store>,
    name: &'static str,
    expect: u64,
    value: Option<&'static str>,
) -> Result<(), MetaError> {
    store.write_meta(key(name), expect, value.map(Bytes::from)).await
}

fn record(version: u64, value: &'static str) -> Option<MetaRecord> {
    Some(MetaRecord { version, value: Bytes::from(value) })
}

pub async fn meta_records_are_compared_before_they_are_set(subject: &dyn Subject) {
    let store = subject.open().await;
    assert_eq!(store.read_meta(key("a")).await.unwrap(), None);
    assert!(matches!(write(&store, "a", 1, Some("x")).await, Err(MetaError::Conflict)));
    write(&store, "a", 0, Some("one")).await.unwrap();
    assert_eq!(store.read_meta(key("a")).await.unwrap(), record(1, "one"));
    assert!(matches!(write(&store, "a", 0, Some("x")).await, Err(MetaError::Conflict)));
    write(&store, "a", 1, Some("two")).await.unwrap();
    assert_eq!(store.read_meta(key("a")).await.unwrap(), record(2, "two"));
    assert!(matches!(write(&store, "a", 1, None).await, Err(MetaError::Conflict)));
    write(&store, "a", 2, None).await.unwrap();
    assert_eq!(store.read_meta(key("a")).await.unwrap(), None);
    write(&store, "a", 0, Some("again")).await.unwrap();
    assert_eq!(store.read_meta(key("a")).await.unwrap(), record(1, "again"));
}

pub async fn meta_records_are_found_by_prefix(subject: &dyn Subject) {
    let store = subject.open().await;
    for name in ["a/1", "b/1", "b/2", "b", "c/1"] {
        write(&store, name, 0, Some(name)).await.unwrap();
    }
    let found = store.scan_meta(key("b/")).await.unwrap();
    let names: Vec<Bytes> = found.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(names, ["b/1", "b/2"]);
    assert_eq!(Some(found[1].1.clone()), record(1, "b/2"));
    assert_eq!(store.scan_meta(Bytes::new()).await.unwrap().len(), 5);
}

pub async fn meta_records_survive_a_reopening(subject: &dyn Subject) {
    let store = subject.open().await;
    write(&store, "a", 0, Some("one")).await.unwrap();
    write(&store, "a", 1, Some("two")).await.unwrap();
    write(&store, "b", 0, Some("gone")).await.unwrap();
    write(&store, "b", 1, None).await.unwrap();
    store.close().await;
    let store = subject.open().await;
    assert_eq!(store.read_meta(key("a")).await.unwrap(), record(2, "two"));
    assert_eq!(store.read_meta(key("b")).await.unwrap(), None);
}

pub async fn of_many_meta_writers_exactly_one_wins(subject: &dyn Subject) {
    let store = subject.open().await;
    for expect in 0..5 {
        let writers = (0..10).map(|_| write(&store, "a", expect, Some("x")));
        let outcomes = join_all(writers).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{outcomes:?}");
    }
}
