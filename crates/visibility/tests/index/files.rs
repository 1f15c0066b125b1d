//! Files: restart, damage, what survives.

use std::{fs, time::Duration};

use visibility::{Change, Error, Index, Location};

use crate::support::{closed, filter, listed, namespace, record, settle, slot, upsert};

#[tokio::test]
async fn a_restart_keeps_records_versions_and_counters() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::File(directory.path().join("visibility.sqlite"));
    let index = Index::open(&location).unwrap();
    assert!(!index.was_complete());
    upsert(&index, closed(record(1, 5), 2, 9_000_000_000)).await;
    upsert(&index, record(2, 1)).await;
    index.submit(slot(), 3, Change::Complete).await.unwrap();
    drop(index);

    let index = Index::open(&location).unwrap();
    assert!(index.was_complete());
    assert_eq!(listed(&index, "").await, [2, 1]);
    upsert(&index, record(1, 4)).await;
    settle(&index).await;
    let running = filter("ExecutionStatus = 'Running'");
    assert_eq!(index.count(namespace(1), &running).await.unwrap(), 1);
}

#[tokio::test]
async fn the_rest_of_a_deleted_namespace_is_removed_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("visibility.sqlite");
    let index = Index::open(&Location::File(path.clone())).unwrap();
    for number in 0..9_000 {
        upsert(&index, record(number, 1)).await;
    }
    index.submit(slot(), 1, Change::DeleteNamespace(namespace(1))).await.unwrap();
    drop(index);
    let index = Index::open(&Location::File(path.clone())).unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    let rows = || -> i64 {
        let sql = "SELECT (SELECT count(*) FROM execution) + (SELECT count(*) FROM namespace) \
                   + (SELECT count(*) FROM scope) + (SELECT count(*) FROM run_count)";
        reader.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for _ in 0..500 {
        if rows() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(index);
    panic!("{} rows are left", rows());
}

#[tokio::test]
async fn what_is_flushed_is_in_the_file_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("visibility.sqlite");
    let index = Index::open(&Location::File(path.clone())).unwrap();
    assert_eq!(index.flushed_through(slot()), 0);
    let change = Change::Upsert(Box::new(record(1, 1)));
    index.submit(slot(), 42, change).await.unwrap();
    for _ in 0..500 {
        if index.flushed_through(slot()) == 42 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(index.flushed_through(slot()), 42);
    // A power failure may take the log away; the file alone must hold the run.
    let copy = directory.path().join("copy.sqlite");
    fs::copy(&path, &copy).unwrap();
    let copy = Index::open(&Location::File(copy)).unwrap();
    assert_eq!(listed(&copy, "").await, [1]);
}

#[test]
fn a_damaged_file_and_a_foreign_format_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("visibility.sqlite");
    fs::write(&path, "not a database, but long enough to look at ".repeat(100)).unwrap();
    let error = Index::open(&Location::File(path.clone())).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");

    fs::remove_file(&path).unwrap();
    drop(Index::open(&Location::File(path.clone())).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Index::open(&Location::File(path)).unwrap_err();
    assert!(matches!(error, Error::Format { found: 99, .. }), "{error:?}");
}
