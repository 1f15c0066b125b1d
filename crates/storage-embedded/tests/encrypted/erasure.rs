//! A namespace's key is destroyed.

use storage::{Scan, Store as _, Table, verify};

use crate::support::{Folder, go_through, namespace, read, record, write};

#[tokio::test]
async fn what_a_destroyed_key_sealed_is_gone_and_the_rest_stays() {
    let folder = Folder::new();
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    write(&store, (0..10).map(|number| record(number, Some(namespace(1)))).collect()).await;
    write(&store, (10..20).map(|number| record(number, Some(namespace(2)))).collect()).await;
    assert_eq!(ring.destroy(namespace(1)).unwrap(), 1);
    assert_eq!(ring.destroy(namespace(1)).unwrap(), 0);
    store.close().await;
    drop(store);

    let (store, ring) = folder.open(&[("k1", 1)]).await;
    assert_eq!(read(&*store, 3).await.unwrap(), None);
    assert!(read(&*store, 13).await.unwrap().is_some());
    let scan = Scan {
        table: Table::Run,
        from: bytes::Bytes::new(),
        to: bytes::Bytes::new(),
        reverse: false,
        records_max: 3,
        bytes_max: usize::MAX,
    };
    let found = store.scan(scan).await.unwrap();
    assert_eq!(found.len(), 3, "what is gone does not count");
    assert!(verify(&*store).await.unwrap().damaged.is_empty());

    let leftovers = ring.leftovers().unwrap();
    assert_eq!(go_through(&store).await, (0, 10));
    ring.forget(&leftovers).unwrap();
    assert_eq!(ring.leftovers(), None);
    assert!(read(&*store, 13).await.unwrap().is_some());
}

#[tokio::test]
async fn a_namespace_that_writes_again_has_another_key() {
    let folder = Folder::new();
    let (store, ring) = folder.open(&[("k1", 1)]).await;
    write(&store, vec![record(1, Some(namespace(1)))]).await;
    ring.destroy(namespace(1)).unwrap();
    write(&store, vec![record(2, Some(namespace(1)))]).await;
    assert_eq!(read(&*store, 1).await.unwrap(), None);
    assert!(read(&*store, 2).await.unwrap().is_some());
}
