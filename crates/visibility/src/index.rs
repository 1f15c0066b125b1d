//! The index as the server uses it.

use std::{
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use model::{NamespaceId, SlotId};
use parking_lot::Mutex;
use visibility_query::{Attribute, Predicate, SortKey, Value};

use crate::{
    Error,
    change::{Change, Submission, Ticket},
    database::{is_complete, open_file, open_memory, open_reader},
    listing::Asked,
    page::Page,
    plan::Effort,
    queue::Queue,
    read,
    readers::Readers,
    writer::{Progress, Writer},
};

/// Changes that may wait for the writer. A few hundred bytes each without memo and attributes.
pub const QUEUE_CHANGES_MAX: usize = 16_384;

/// Connections that read a file at the same time.
const READERS: usize = 2;

/// Where the index lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file, made if there is none, with the log beside it. One process at a time.
    File(PathBuf),
    /// In memory, for servers that keep nothing.
    Memory,
    /// In memory and without threads: every change and every read runs at once on the caller's
    /// thread. For simulation.
    Inline,
}

/// The index of runs. Dropping it writes what waits and ends its threads.
#[derive(Debug)]
pub struct Index {
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    readers: Option<Readers>,
    inline: Option<Mutex<Writer>>,
    threads: Vec<JoinHandle<()>>,
    was_complete: bool,
    effort: Effort,
}

impl Index {
    /// Opens the index. [`Error::Damaged`] and [`Error::Format`] mean that the file may be deleted
    /// and the index be built afresh.
    pub fn open(location: &Location) -> Result<Self, Error> {
        let queue = Arc::new(Queue::new(QUEUE_CHANGES_MAX));
        let progress = Arc::new(Progress::new());
        let connection = match location {
            Location::File(path) => open_file(path)?,
            Location::Memory | Location::Inline => open_memory()?,
        };
        let was_complete = is_complete(&connection)?;
        let connection = Arc::new(Mutex::new(connection));
        let in_memory = !matches!(location, Location::File(_));
        let writer = Writer::new(Arc::clone(&connection), Arc::clone(&progress), in_memory)?;
        if *location == Location::Inline {
            let readers = Some(Readers::Here(connection));
            let inline = Some(Mutex::new(writer));
            return Ok(Self {
                queue,
                progress,
                readers,
                inline,
                threads: Vec::new(),
                was_complete,
                effort: Effort::default(),
            });
        }
        let reading = match location {
            Location::File(path) => (0..READERS)
                .map(|_| Ok(Arc::new(Mutex::new(open_reader(path)?))))
                .collect::<Result<_, Error>>()?,
            Location::Memory | Location::Inline => vec![connection],
        };
        let (readers, mut threads) = Readers::start(reading)?;
        let writing = {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name("visibility-write".to_owned())
                .spawn(move || writer.run(&queue))
                .map_err(Error::Thread)?
        };
        threads.push(writing);
        Ok(Self {
            queue,
            progress,
            readers: Some(readers),
            inline: None,
            threads,
            was_complete,
            effort: Effort::default(),
        })
    }

    /// Another index on the same database, as if a new process had opened its file. What the first
    /// one still writes is seen by both. Only for [`Location::Inline`].
    ///
    /// # Errors
    /// [`Error::Closed`] for other locations.
    pub fn reopened(&self) -> Result<Self, Error> {
        let (Some(Readers::Here(connection)), Some(_)) = (&self.readers, &self.inline) else {
            return Err(Error::Closed);
        };
        let was_complete = is_complete(&connection.lock())?;
        let progress = Arc::new(Progress::new());
        let writer = Writer::new(Arc::clone(connection), Arc::clone(&progress), true)?;
        Ok(Self {
            queue: Arc::new(Queue::new(QUEUE_CHANGES_MAX)),
            progress,
            readers: Some(Readers::Here(Arc::clone(connection))),
            inline: Some(Mutex::new(writer)),
            threads: Vec::new(),
            was_complete,
            effort: self.effort,
        })
    }

    /// Lists and counts with another effort, so that a few runs are found in the ways of many.
    #[must_use]
    pub fn with_effort(mut self, effort: Effort) -> Self {
        self.effort = effort;
        self
    }

    /// False if the index was new, or never filled, when it was opened: submit every run and then
    /// [`Change::Complete`].
    pub const fn was_complete(&self) -> bool {
        self.was_complete
    }

    /// Hands a change to the writer; waits while [`QUEUE_CHANGES_MAX`] changes wait already.
    /// `seq` is the caller's own number of the change and grows within a slot.
    pub async fn submit(&self, slot: SlotId, seq: u64, change: Change) -> Result<Ticket, Error> {
        match &self.inline {
            Some(writer) => self.apply_inline(writer, slot, seq, change),
            None => self.queue.push(slot, seq, change).await,
        }
    }

    /// As [`Index::submit`], but answers [`Error::Busy`] instead of waiting.
    pub fn try_submit(&self, slot: SlotId, seq: u64, change: Change) -> Result<Ticket, Error> {
        match &self.inline {
            Some(writer) => self.apply_inline(writer, slot, seq, change),
            None => self.queue.try_push(slot, seq, change),
        }
    }

    fn apply_inline(
        &self,
        writer: &Mutex<Writer>,
        slot: SlotId,
        seq: u64,
        change: Change,
    ) -> Result<Ticket, Error> {
        let mut writer = writer.lock();
        let purges = matches!(change, Change::DeleteNamespace(_));
        let ticket = self.queue.next_ticket();
        writer.apply(&[Submission { ticket, slot, seq, change }])?;
        if purges {
            writer.purge_all();
        }
        Ok(ticket)
    }

    /// The ticket of the last change that was submitted by anybody.
    pub fn submitted(&self) -> Ticket {
        self.queue.last()
    }

    /// Waits until lists show everything up to this ticket. The caller bounds the time.
    pub async fn wait_for(&self, ticket: Ticket) -> Result<(), Error> {
        self.queue.hurry(ticket);
        let mut visible = self.progress.visible();
        visible.wait_for(|reached| *reached >= ticket).await.map_err(|_| Error::Closed)?;
        Ok(())
    }

    /// The `seq` up to which the changes of a slot would survive a power failure; zero if none was
    /// submitted since the index was opened. The caller need not submit them again.
    pub fn flushed_through(&self, slot: SlotId) -> u64 {
        self.progress.durable_through(slot)
    }

    /// One page of the runs that match. `page_size` is capped at [`crate::PAGE_SIZE_MAX`], which
    /// zero stands for. An empty token starts at the first page.
    pub async fn list(
        &self,
        namespace_id: NamespaceId,
        filter: &Predicate,
        page_size: usize,
        page_token: &[u8],
    ) -> Result<Page, Error> {
        self.list_sorted(namespace_id, filter, &[], page_size, page_token).await
    }

    /// As [`Index::list`], in another order. A page token belongs to its order.
    pub async fn list_sorted(
        &self,
        namespace_id: NamespaceId,
        filter: &Predicate,
        order_by: &[SortKey],
        page_size: usize,
        page_token: &[u8],
    ) -> Result<Page, Error> {
        let asked = Asked {
            filter: filter.clone(),
            order_by: order_by.to_vec(),
            page_size,
            page_token: page_token.to_vec(),
        };
        let effort = self.effort;
        self.readers()?
            .run(move |connection| read::list(connection, namespace_id, &asked, effort))
            .await
    }

    /// The number of runs that match. Without a filter, or with one about nothing but status and
    /// division, it is looked up; else the runs are counted.
    pub async fn count(&self, namespace_id: NamespaceId, filter: &Predicate) -> Result<u64, Error> {
        let (filter, effort) = (filter.clone(), self.effort);
        self.readers()?
            .run(move |connection| read::count(connection, namespace_id, &filter, effort))
            .await
    }

    /// The number of runs that match by value of `ExecutionStatus` (as its number) or
    /// `TemporalNamespaceDivision` (empty for plain workflows), in the order of the values.
    pub async fn count_by(
        &self,
        namespace_id: NamespaceId,
        filter: &Predicate,
        group_by: &Attribute,
    ) -> Result<Vec<(Value, u64)>, Error> {
        let (filter, group_by, effort) = (filter.clone(), group_by.clone(), self.effort);
        self.readers()?
            .run(move |connection| {
                read::count_by(connection, namespace_id, &filter, &group_by, effort)
            })
            .await
    }

    fn readers(&self) -> Result<&Readers, Error> {
        self.readers.as_ref().ok_or(Error::Closed)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.queue.close();
        // Without a sender the reading threads end.
        self.readers = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the visibility index panicked");
            }
        }
    }
}
