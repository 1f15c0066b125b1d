//! Removes the rows of deleted namespaces bit by bit, so that the writer never stops for long.

use model::NamespaceId;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::{Error, attributes};

/// Runs removed in one transaction.
const RUNS_PER_STEP: i64 = 2_000;

/// Takes the name from a namespace: from then on nobody finds its rows.
pub(crate) fn detach(connection: &Connection, namespace_id: NamespaceId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE namespace SET uuid = NULL WHERE uuid = ?1")?
        .execute(params![namespace_id.as_bytes()])?;
    Ok(())
}

/// True if rows of deleted namespaces are left.
pub(crate) fn pending(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(detached(connection)?.is_some())
}

fn detached(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM namespace WHERE uuid IS NULL LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// Removes a bounded number of rows; true if more are left.
pub(crate) fn step(connection: &mut Connection) -> Result<bool, Error> {
    let Some(namespace) = detached(connection)? else { return Ok(false) };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let runs: Vec<(i64, Option<Vec<u8>>)> = transaction
        .prepare_cached(
            "SELECT id, search_attributes FROM execution \
             WHERE scope IN (SELECT id FROM scope WHERE namespace = ?1) LIMIT ?2",
        )?
        .query_map(params![namespace, RUNS_PER_STEP], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    if runs.is_empty() {
        for statement in [
            "DELETE FROM attribute_name WHERE namespace = ?1",
            "DELETE FROM run_count \
             WHERE scope IN (SELECT id FROM scope WHERE namespace = ?1)",
            "DELETE FROM scope WHERE namespace = ?1",
            "DELETE FROM namespace WHERE id = ?1",
        ] {
            transaction.execute(statement, [namespace])?;
        }
    } else {
        let mut name_id = transaction
            .prepare_cached("SELECT id FROM attribute_name WHERE namespace = ?1 AND name = ?2")?;
        let mut execution = transaction.prepare_cached("DELETE FROM execution WHERE id = ?1")?;
        for (id, encoded) in &runs {
            let stored = attributes::decode(encoded.as_deref())?;
            for (name, indexed) in attributes::indexed(&stored) {
                let name = name_id.query_row(params![namespace, name], |row| row.get(0))?;
                indexed.delete(&transaction, name, *id)?;
            }
            execution.execute([id])?;
        }
    }
    transaction.commit()?;
    pending(connection).map_err(Error::from)
}
