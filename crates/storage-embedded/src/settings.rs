//! The bounds of an embedded store.

const MIB: u64 = 1024 * 1024;

/// How much memory, journal and disk the store may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Blocks kept in memory, in bytes; fills up as blocks are read.
    pub cache_bytes: u64,
    /// Size at which a table's write buffer goes to disk, in bytes. A table holds one such buffer,
    /// and up to four more while the disk cannot keep up. Fixed when the directory is created.
    pub write_buffer_bytes: u64,
    /// Size of all full journals above which buffers are written early, in bytes; at least 64 MiB.
    /// This and the open journal (64 MiB) are what a start after a crash reads again.
    pub journal_bytes_max: u64,
    /// Batches are refused while so many bytes wait for the committer.
    pub queue_bytes_max: usize,
    /// Batches are refused while the file system has fewer free bytes: enough to write out the
    /// buffers and to rewrite tables.
    pub free_bytes_min: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * MIB,
            write_buffer_bytes: 8 * MIB,
            journal_bytes_max: 64 * MIB,
            queue_bytes_max: 64 * 1024 * 1024,
            free_bytes_min: 256 * MIB,
        }
    }
}
