//! The small integers that stand for namespaces, scopes and attribute names in the tables.

use std::collections::HashMap;

use model::NamespaceId;
use rusqlite::{Connection, OptionalExtension as _, ToSql};

/// Entries of one cache; a full cache starts afresh.
const CACHED_MAX: usize = 10_000;

/// What the writer knows of them. Must be cleared when a transaction is rolled back.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    namespaces: HashMap<NamespaceId, i64>,
    scopes: HashMap<(i64, String), i64>,
    names: HashMap<(i64, String), i64>,
}

impl Ids {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn forget(&mut self, namespace_id: NamespaceId) {
        self.namespaces.remove(&namespace_id);
    }

    /// The number of a namespace, which is made if it is new.
    pub(crate) fn namespace(
        &mut self,
        connection: &Connection,
        namespace_id: NamespaceId,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.namespaces.get(&namespace_id) {
            return Ok(*id);
        }
        let id = find_or_insert(
            connection,
            "SELECT id FROM namespace WHERE uuid = ?1",
            "INSERT INTO namespace (uuid) VALUES (?1)",
            &[namespace_id.as_bytes()],
        )?;
        remember(&mut self.namespaces, namespace_id, id);
        Ok(id)
    }

    /// The number of a namespace with a division, which is made if it is new.
    pub(crate) fn scope(
        &mut self,
        connection: &Connection,
        namespace: i64,
        division: String,
    ) -> rusqlite::Result<i64> {
        let key = (namespace, division);
        if let Some(id) = self.scopes.get(&key) {
            return Ok(*id);
        }
        let id = find_or_insert(
            connection,
            "SELECT id FROM scope WHERE namespace = ?1 AND division = ?2",
            "INSERT INTO scope (namespace, division) VALUES (?1, ?2)",
            &[&key.0, &key.1],
        )?;
        remember(&mut self.scopes, key, id);
        Ok(id)
    }

    /// The number of an attribute name in a namespace, which is made if it is new.
    pub(crate) fn name(
        &mut self,
        connection: &Connection,
        namespace: i64,
        name: &str,
    ) -> rusqlite::Result<i64> {
        let key = (namespace, name.to_owned());
        if let Some(id) = self.names.get(&key) {
            return Ok(*id);
        }
        let id = find_or_insert(
            connection,
            "SELECT id FROM attribute_name WHERE namespace = ?1 AND name = ?2",
            "INSERT INTO attribute_name (namespace, name) VALUES (?1, ?2)",
            &[&key.0, &key.1],
        )?;
        remember(&mut self.names, key, id);
        Ok(id)
    }
}

fn find_or_insert(
    connection: &Connection,
    find: &str,
    insert: &str,
    parameters: &[&dyn ToSql],
) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(find)?;
    let found = statement.query_row(parameters, |row| row.get(0)).optional()?;
    match found {
        Some(id) => Ok(id),
        None => connection.prepare_cached(insert)?.insert(parameters),
    }
}

fn remember<K: Eq + std::hash::Hash>(cache: &mut HashMap<K, i64>, key: K, id: i64) {
    if cache.len() >= CACHED_MAX {
        cache.clear();
    }
    cache.insert(key, id);
}
