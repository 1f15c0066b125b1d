//! A full disk: writes are refused with a reason, reads go on, and the store heals.
//!
//! Needs the right to mount a small file system; says so and passes where that is missing.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "these are tests")]

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use storage::{
    CommitError, Store,
    conformance::{Writer, history_of, put, slot},
};
use storage_embedded::{EmbeddedStore, Settings};
use tempfile::TempDir;
use tokio::time::sleep;

const MIB: u64 = 1024 * 1024;
const DISK_MIB: u64 = 128;

/// A small file system, unmounted at the end.
struct SmallDisk {
    folder: TempDir,
    _image: Option<TempDir>,
}

impl SmallDisk {
    /// A file system in memory.
    fn in_memory() -> Option<Self> {
        let options = format!("size={DISK_MIB}m");
        Self::mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], None)
    }

    /// An ext4 in a file, which gives out blocks late and syncs for real.
    fn ext4() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        File::create(&image).unwrap().set_len(DISK_MIB * MIB).unwrap();
        let image = image.to_str().unwrap();
        let made = Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", image]).status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: a full ext4 was not tested, because none can be made here");
            return None;
        }
        Self::mount(&["-o", "loop", image], Some(folder))
    }

    fn mount(arguments: &[&str], image: Option<TempDir>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(arguments).arg(folder.path()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { folder, _image: image });
        }
        eprintln!("SKIPPED: a full disk was not tested, because nothing can be mounted here");
        None
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file that leaves only so much space.
    fn fill(&self, leave: u64) -> PathBuf {
        let path = self.folder.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        let block = vec![1; 64 * 1024];
        while available(self.folder.path()) > leave {
            if file.write_all(&block).is_err() {
                break;
            }
        }
        path
    }
}

fn available(path: &Path) -> u64 {
    fs4::available_space(path).unwrap()
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.folder.path()).status());
    }
}

fn value(seq: u64) -> Bytes {
    vec![seq.to_be_bytes()[7]; 64 * 1024].into()
}

/// Writes until the store refuses; gives the reason. Reloads the slot as an owner does.
async fn write_until_refused(store: &Arc<dyn Store>, writer: &mut Writer) -> String {
    for _ in 0..10_000 {
        let seq = writer.seq;
        let event = i64::try_from(seq).unwrap();
        match writer.submit(vec![put(slot(1), event, value(seq))]).await {
            Ok(()) => {}
            Err(CommitError::Refused { reason }) => {
                writer.seq = seq;
                assert_eq!(store.slot_row(slot(1)).await.unwrap().seq, seq, "nothing was written");
                return reason;
            }
            Err(CommitError::Unknown) => writer.seq = store.slot_row(slot(1)).await.unwrap().seq,
            Err(CommitError::Fenced) => unreachable_fence(),
        }
    }
    String::new()
}

#[expect(clippy::panic, reason = "a test that fails")]
fn unreachable_fence() {
    panic!("nobody else writes");
}

async fn write_until_accepted(writer: &mut Writer) {
    for _ in 0..300 {
        let seq = writer.seq;
        let event = i64::try_from(seq).unwrap();
        match writer.submit(vec![put(slot(1), event, value(seq))]).await {
            Ok(()) => return,
            Err(error) => {
                assert!(matches!(error, CommitError::Refused { .. }), "{error}");
                writer.seq = seq;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    unreachable_fence();
}

async fn everything_is_there(store: &dyn Store, seq: u64) {
    let values: Vec<Bytes> = (0..seq).map(value).collect();
    assert!(history_of(store, slot(1)).await == values, "{seq} records expected");
}

async fn fill_refuse_and_heal(disk: SmallDisk, free_bytes_min: u64, leave: u64, reason: &str) {
    let settings = Settings { free_bytes_min, write_buffer_bytes: 4 * MIB, ..Settings::default() };
    let embedded = Arc::new(EmbeddedStore::open(&disk.data(), settings.clone()).unwrap());
    let store: Arc<dyn Store> = Arc::clone(&embedded) as _;
    let mut writer = Writer::claim(&store, slot(1)).await;
    for _ in 0..3 {
        let ballast = disk.fill(leave);
        let refused = write_until_refused(&store, &mut writer).await;
        assert!(refused.contains(reason), "{refused}");
        everything_is_there(&*store, writer.seq).await;
        // It goes on refusing, and reads go on too.
        sleep(Duration::from_millis(300)).await;
        assert!(!write_until_refused(&store, &mut writer).await.is_empty());
        assert!(embedded.refusal().is_some());
        everything_is_there(&*store, writer.seq).await;
        fs::remove_file(ballast).unwrap();
        write_until_accepted(&mut writer).await;
        assert_eq!(embedded.refusal(), None);
        everything_is_there(&*store, writer.seq).await;
    }
    // The first kind of trouble never reaches the engine, the second always does.
    assert_eq!(embedded.stats().failures > 0, free_bytes_min == 0);
    store.close().await;
    drop((store, embedded));
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&disk.data(), settings).unwrap());
    everything_is_there(&*store, writer.seq).await;
    store.close().await;
}

#[tokio::test]
async fn a_nearly_full_disk_refuses_writes_before_any_of_them_fails() {
    let Some(disk) = SmallDisk::in_memory() else { return };
    fill_refuse_and_heal(disk, 20 * MIB, 24 * MIB, "the disk is nearly full").await;
}

#[tokio::test]
async fn a_write_that_meets_a_full_disk_is_refused_and_the_engine_is_opened_again() {
    let Some(disk) = SmallDisk::in_memory() else { return };
    fill_refuse_and_heal(disk, 0, 6 * MIB, "the disk is full").await;
}

#[tokio::test]
async fn a_write_that_meets_a_full_ext4_is_refused_and_the_engine_is_opened_again() {
    let Some(disk) = SmallDisk::ext4() else { return };
    fill_refuse_and_heal(disk, 0, 6 * MIB, "the disk is full").await;
}
