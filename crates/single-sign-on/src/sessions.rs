//! All sessions of a cell: in the store, and sealed as there in memory.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use environment::Environment;
use model::{Span, Time};
use parking_lot::Mutex;
use prost::Message;
use storage::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    EndSessionRequest, OpenError, OpenSession, SessionError,
    listed::Listed,
    sealing::Secret,
    session::{Contents, PREFIX, Record, SessionId},
};

/// Most sessions of a cell. Past it the one that was used longest ago ends.
pub(crate) const SESSIONS_MAX: usize = 10_000;

/// Most sessions of one person. Past it the one that was used longest ago ends.
pub(crate) const SESSIONS_OF_PERSON_MAX: usize = 20;

/// How often it is written down that a session is used.
const USE_WRITTEN: Span = Span::from_secs(60);

/// How often sessions that are over are looked for.
const SWEEP: Span = Span::from_secs(600);

/// How long after the provider could not be asked it is asked again.
const RENEW_AGAIN: Span = Span::from_secs(10);

/// Which sessions end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ages {
    pub(crate) age_max: Span,
    pub(crate) idle_max: Span,
}

pub(crate) struct Sessions {
    store: Arc<dyn Store>,
    environment: Environment,
    ages: Ages,
    /// Seals what administrators see of them.
    listing: Secret,
    held: Mutex<HashMap<Bytes, Arc<Held>>>,
    /// One new session at a time: they are counted.
    making: tokio::sync::Mutex<()>,
}

/// A session in memory.
pub(crate) struct Held {
    key: Bytes,
    stored: Mutex<Stored>,
    /// One change at a time: tokens that renew others are good once.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// When the provider is asked again that could not be.
    renew_not_before: AtomicI64,
    /// Cancelled when it ends before its time.
    pub(crate) ended: CancellationToken,
}

struct Stored {
    record: Record,
    version: u64,
    /// When it was written down last that the session was used.
    use_written: i64,
}

impl Held {
    fn new(key: Bytes, record: Record, version: u64) -> Self {
        let use_written = record.used;
        Self {
            key,
            stored: Mutex::new(Stored { record, version, use_written }),
            changing: tokio::sync::Mutex::default(),
            renew_not_before: AtomicI64::new(0),
            ended: CancellationToken::new(),
        }
    }

    pub(crate) fn record(&self) -> Record {
        self.stored.lock().record.clone()
    }

    /// Notes that the provider could not be asked.
    pub(crate) fn leave_alone(&self, now: Time) {
        self.renew_not_before.store((now + RENEW_AGAIN).nanos(), Ordering::Relaxed);
    }

    /// Whether the provider may be asked for new tokens.
    pub(crate) fn may_renew(&self, now: Time) -> bool {
        self.renew_not_before.load(Ordering::Relaxed) <= now.nanos()
    }
}

impl Ages {
    /// When a session ends unless it is used meanwhile.
    pub(crate) fn end(self, record: &Record) -> Time {
        let by_age = Time::from_nanos(record.created) + self.age_max;
        by_age.min(Time::from_nanos(record.used) + self.idle_max)
    }
}

impl Sessions {
    /// Reads all sessions, and forgets those that are over.
    pub(crate) async fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        ages: Ages,
        listing: Secret,
    ) -> Result<Self, OpenError> {
        let mut held = HashMap::new();
        for (key, found) in store.scan_meta(Bytes::from_static(PREFIX)).await? {
            // A session that cannot be read is over: whoever has it signs in again.
            let record = Record::decode(found.value).unwrap_or_default();
            held.insert(key.clone(), Arc::new(Held::new(key, record, found.version)));
        }
        let (held, making) = (Mutex::new(held), tokio::sync::Mutex::default());
        let this = Self { store, environment, ages, listing, held, making };
        this.sweep().await;
        Ok(this)
    }

    pub(crate) const fn ages(&self) -> Ages {
        self.ages
    }

    /// Forgets sessions that are over, again and again until `stop` is cancelled.
    pub(crate) async fn watch(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.environment.clock.sleep(SWEEP) => self.sweep().await,
            }
        }
    }

    async fn sweep(&self) {
        let now = self.environment.clock.now();
        let over = self.those(|record| self.ages.end(record) <= now);
        for held in over {
            if let Err(error) = self.remove(&held).await {
                tracing::warn!(%error, "a session that is over was not forgotten");
                return;
            }
        }
    }

    /// Makes a session. It is stored when this returns.
    pub(crate) async fn make(
        &self,
        person: Bytes,
        at_provider: Bytes,
        listed: &Listed,
        contents: &Contents,
    ) -> Result<SessionId, SessionError> {
        let _one_at_a_time = self.making.lock().await;
        self.make_room(&person).await?;
        let entropy = self.environment.entropy.as_ref();
        let (id, now) = (SessionId::new(entropy), self.environment.clock.now().nanos());
        let key = id.key();
        let listed = listed.sealed(&self.listing, &key, entropy).into();
        let sealed = Bytes::new();
        let mut record = Record { created: now, used: now, person, at_provider, sealed, listed };
        record.sealed = id.seal(&record, contents, entropy).ok_or_else(unsealed)?;
        self.store.write_meta(key.clone(), 0, Some(record.encode_to_vec().into())).await?;
        self.held.lock().insert(key.clone(), Arc::new(Held::new(key, record, 1)));
        Ok(id)
    }

    /// Ends sessions that were used longest ago until there is room for one more.
    async fn make_room(&self, person: &Bytes) -> Result<(), SessionError> {
        let own = self.those(|record| record.person == *person);
        self.end_oldest(own, SESSIONS_OF_PERSON_MAX).await?;
        if self.held.lock().len() >= SESSIONS_MAX {
            self.sweep().await;
            self.end_oldest(self.those(|_| true), SESSIONS_MAX).await?;
        }
        Ok(())
    }

    async fn end_oldest(
        &self,
        mut sessions: Vec<Arc<Held>>,
        most: usize,
    ) -> Result<(), SessionError> {
        sessions.sort_by_cached_key(|held| held.stored.lock().record.used);
        let too_many = (sessions.len() + 1).saturating_sub(most);
        for held in sessions.iter().take(too_many) {
            self.remove(held).await?;
        }
        Ok(())
    }

    /// All sessions of this kind.
    pub(crate) fn those(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Arc<Held>> {
        let held = self.held.lock();
        held.values().filter(|held| wanted(&held.stored.lock().record)).cloned().collect()
    }

    /// All sessions that are not over, as administrators see them.
    pub(crate) fn open_sessions(&self) -> Vec<(Arc<Held>, OpenSession)> {
        let now = self.environment.clock.now();
        let shown = |held: Arc<Held>| {
            let record = held.record();
            let end = self.ages.end(&record);
            (held.clone(), OpenSession::of(&self.listing, &held.key, &record, end))
        };
        self.those(|record| self.ages.end(record) > now).into_iter().map(shown).collect()
    }

    /// Ends those that a request means; which they were.
    pub(crate) async fn end_those(
        &self,
        request: &EndSessionRequest,
    ) -> Result<Vec<OpenSession>, SessionError> {
        let mut ended = Vec::new();
        for (held, session) in self.open_sessions() {
            if session.is_meant(request) {
                self.remove(&held).await?;
                ended.push(session);
            }
        }
        Ok(ended)
    }

    /// The session of an id, unless it is over, and what is sealed in it.
    pub(crate) async fn find(&self, id: &SessionId) -> Option<(Arc<Held>, Contents)> {
        let held = self.held.lock().get(&id.key()).cloned()?;
        let record = held.record();
        if self.ages.end(&record) <= self.environment.clock.now() {
            if let Err(error) = self.remove(&held).await {
                tracing::warn!(%error, "a session that is over was not forgotten");
            }
            return None;
        }
        let contents = id.open(&record)?;
        self.note_use(&held).await;
        Some((held, contents))
    }

    /// Notes that a session is used; not more often than needed in the store.
    async fn note_use(&self, held: &Held) {
        let now = self.environment.clock.now().nanos();
        let interval = USE_WRITTEN.min(Span::from_nanos(self.ages.idle_max.nanos() / 4));
        let is_due = {
            let mut stored = held.stored.lock();
            stored.record.used = stored.record.used.max(now);
            stored.use_written + interval.nanos() <= now
        };
        // Whoever changes it writes that down, too.
        if is_due
            && let Ok(_one_at_a_time) = held.changing.try_lock()
            && let Err(error) = self.write(held).await
        {
            tracing::warn!(%error, "the use of a session was not stored");
        }
    }

    /// Puts other contents into a session. The caller holds `changing`.
    pub(crate) async fn replace(
        &self,
        id: &SessionId,
        held: &Held,
        contents: &Contents,
    ) -> Result<(), SessionError> {
        let sealed = id
            .seal(&held.record(), contents, self.environment.entropy.as_ref())
            .ok_or_else(unsealed)?;
        held.stored.lock().record.sealed = sealed;
        self.write(held).await
    }

    /// Writes a session as it is. The caller holds `changing`.
    async fn write(&self, held: &Held) -> Result<(), SessionError> {
        let (record, version) = {
            let mut stored = held.stored.lock();
            stored.use_written = stored.record.used;
            (stored.record.encode_to_vec(), stored.version)
        };
        if held.ended.is_cancelled() {
            return Ok(());
        }
        self.store.write_meta(held.key.clone(), version, Some(record.into())).await?;
        held.stored.lock().version += 1;
        Ok(())
    }

    /// Ends a session: in memory at once, and in the store when this returns.
    pub(crate) async fn remove(&self, held: &Held) -> Result<(), SessionError> {
        held.ended.cancel();
        self.held.lock().remove(&held.key);
        let _one_at_a_time = held.changing.lock().await;
        let version = held.stored.lock().version;
        if version == 0 {
            return Ok(());
        }
        self.store.write_meta(held.key.clone(), version, None).await?;
        held.stored.lock().version = 0;
        Ok(())
    }
}

fn unsealed() -> SessionError {
    SessionError("it cannot be sealed".to_owned())
}

#[cfg(test)]
mod tests {
    use storage_memory::MemoryStore;

    use super::*;

    const AGES: Ages = Ages { age_max: Span::from_secs(3600), idle_max: Span::from_secs(600) };

    async fn open(store: &Arc<dyn Store>, seed: u64) -> Sessions {
        let environment = Environment::simulated(Time::from_nanos(1), seed);
        Sessions::open(Arc::clone(store), environment, AGES, [7; 32]).await.unwrap()
    }

    async fn make(sessions: &Sessions, person: &'static str) -> SessionId {
        let contents = Contents { access_token: "canary".to_owned(), ..Contents::default() };
        let person = Bytes::from_static(person.as_bytes());
        let listed = Listed { email: "canary".to_owned(), ..Listed::default() };
        sessions.make(person, Bytes::new(), &listed, &contents).await.unwrap()
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_survives_a_restart_and_no_token_is_in_the_store() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let sessions = open(&store, 1).await;
        let (kept, gone) = (make(&sessions, "alice").await, make(&sessions, "bob").await);
        let (held, _) = sessions.find(&gone).await.unwrap();
        sessions.remove(&held).await.unwrap();
        assert!(held.ended.is_cancelled());
        for (key, found) in store.scan_meta(Bytes::new()).await.unwrap() {
            let stored = [key.as_ref(), &found.value].concat();
            assert!(!stored.windows(6).any(|part| part == b"canary"));
            let id = kept.text();
            assert!(!stored.windows(id.len()).any(|part| part == id.as_bytes()));
        }
        for sessions in [sessions, open(&store, 2).await] {
            let (_, contents) = sessions.find(&kept).await.unwrap();
            assert_eq!(contents.access_token, "canary");
            assert!(sessions.find(&gone).await.is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_when_it_is_old_or_not_used() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let sessions = open(&store, 1).await;
        let (used, idle) = (make(&sessions, "alice").await, make(&sessions, "alice").await);
        for _ in 0..11 {
            pass(300).await;
            assert!(sessions.find(&used).await.is_some());
        }
        assert!(sessions.find(&idle).await.is_none());
        // A restart does not take it for one that nobody used.
        let environment = sessions.environment.clone();
        let again = Sessions::open(Arc::clone(&store), environment, AGES, [7; 32]);
        assert!(again.await.unwrap().find(&used).await.is_some());
        pass(301).await;
        assert!(sessions.find(&used).await.is_none());
        assert!(store.scan_meta(Bytes::from_static(PREFIX)).await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_has_so_many_sessions_and_the_oldest_makes_room() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let sessions = open(&store, 1).await;
        let of_another = make(&sessions, "bob").await;
        let mut own = Vec::new();
        for _ in 0..SESSIONS_OF_PERSON_MAX {
            pass(1).await;
            own.push(make(&sessions, "alice").await);
        }
        pass(1).await;
        assert!(sessions.find(&own[0]).await.is_some());
        make(&sessions, "alice").await;
        assert!(sessions.find(&own[1]).await.is_none());
        for kept in [&own[0], &own[2], &of_another] {
            assert!(sessions.find(kept).await.is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_of_others_are_listed_and_ended_at_once_and_for_good() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let sessions = open(&store, 1).await;
        let (kept, gone) = (make(&sessions, "alice").await, make(&sessions, "bob").await);
        let (held, _) = sessions.find(&gone).await.unwrap();
        let id = crate::listed::id_of(&gone.key());
        let listed = sessions.open_sessions();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().any(|(_, session)| session.id == id && session.email == "canary"));
        let request = EndSessionRequest { id: id.clone(), ..EndSessionRequest::default() };
        assert_eq!(sessions.end_those(&request).await.unwrap().len(), 1);
        assert!(held.ended.is_cancelled());
        assert_eq!(sessions.end_those(&request).await.unwrap(), []);
        for sessions in [sessions, open(&store, 2).await] {
            assert!(sessions.find(&gone).await.is_none());
            assert!(sessions.find(&kept).await.is_some());
            assert_eq!(sessions.open_sessions().len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_was_made_up_finds_nothing() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let sessions = open(&store, 1).await;
        make(&sessions, "alice").await;
        assert!(sessions.find(&SessionId::from_text(&"A".repeat(43)).unwrap()).await.is_none());
    }
}
