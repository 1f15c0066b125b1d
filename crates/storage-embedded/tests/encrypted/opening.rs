//! Which keys open which directories.

use storage::Store as _;

use crate::support::{CANARY, Folder, namespace, read, record, text, write};

#[tokio::test]
async fn no_file_holds_a_value_and_without_encryption_one_does() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    write(&store, (0..100).map(|number| record(number, Some(namespace(1)))).collect()).await;
    // In the journal, and then in the tables.
    assert_eq!(folder.files_with(CANARY), Vec::<std::path::PathBuf>::new());
    store.close().await;
    drop(store);
    assert_eq!(folder.files_with(CANARY), Vec::<std::path::PathBuf>::new());
    let (store, _) = folder.open(&[("k1", 1)]).await;
    assert!(read(&*store, 7).await.unwrap().unwrap().starts_with(CANARY));

    let plain = Folder::new();
    let store = std::sync::Arc::new(plain.open_plain().unwrap());
    write(&store, vec![record(1, None)]).await;
    assert!(!plain.files_with(CANARY).is_empty());
    store.close().await;
    drop(store);
    assert!(!plain.files_with(CANARY).is_empty());
}

#[tokio::test]
async fn a_wrong_or_missing_key_is_named_and_nothing_is_touched() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    store.close().await;
    drop(store);
    let before = folder.files();

    let wrong = folder.ring(&[("k1", 2)]).await.unwrap_err().to_string();
    assert!(wrong.contains("key `k1` does not open the data"), "{wrong}");
    let missing = folder.ring(&[("k2", 1)]).await.unwrap_err().to_string();
    assert!(missing.contains("encrypted with key `k1`, which is not configured"), "{missing}");
    let none = folder.open_plain().unwrap_err().to_string();
    assert!(none.contains("no encryption at rest is configured"), "{none}");
    assert!(none.contains(&text(&folder.data())), "{none}");

    assert_eq!(folder.files(), before);
    let (store, _) = folder.open(&[("k1", 1)]).await;
    assert!(read(&*store, 1).await.unwrap().is_some());
}

#[tokio::test]
async fn a_changed_file_of_keys_is_refused() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    store.close().await;
    drop(store);
    let path = folder.data().join("KEYS");
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"plain_values\": false", "\"plain_values\": true"),
        ("\"current\": true", "\"current\": false"),
        ("\"destroyed\": []", "\"destroyed\": [1]"),
        ("\"format\": 1", "\"format\": 2"),
        ("{", "["),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        std::fs::write(&path, changed).unwrap();
        assert!(folder.ring(&[("k1", 1)]).await.is_err(), "{to}");
    }
    std::fs::write(&path, good).unwrap();
    folder.ring(&[("k1", 1)]).await.unwrap();
}

#[tokio::test]
async fn keys_that_somebody_changed_meanwhile_are_not_used() {
    let folder = Folder::new();
    let (store, _) = folder.open(&[("k1", 1)]).await;
    let late = folder.ring(&[("k1", 1)]).await.unwrap();
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    store.close().await;
    drop(store);
    let opened = storage_embedded::EmbeddedStore::open_with(
        &folder.data(),
        crate::support::settings(),
        Some(late),
    );
    let refused = opened.unwrap_err().to_string();
    assert!(refused.contains("was changed meanwhile"), "{refused}");
}
