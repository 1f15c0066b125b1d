//! What a list is asked for, as parts of statements.

use model::{NamespaceId, RunId};
use rusqlite::{Connection, Row, params_from_iter, types::Value};
use visibility_query::{Attribute, Predicate, SortKey, SystemAttribute};

use crate::{
    Error, Record,
    compile::Sql,
    page::{Cursor, PAGE_SIZE_MAX, Page},
    rows::{COLUMN_COUNT, COLUMNS, cursor, record},
    run_index::RunIndex,
    sort::{Order, Place},
};

/// What a list is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) filter: Predicate,
    pub(crate) order_by: Vec<SortKey>,
    pub(crate) page_size: usize,
    pub(crate) page_token: Vec<u8>,
}

/// A list: its order, and where its page starts.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) page_size: usize,
    order_by: &'a [SortKey],
    from: From,
}

#[derive(Debug)]
enum From {
    Start,
    Usual(Cursor),
    Sorted(Place),
}

/// A statement that reads rows, and the order in which it does.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) sql: Sql,
    order: Option<Order>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(asked: &'a Asked) -> Result<Self, Error> {
        let page_size =
            if asked.page_size == 0 { PAGE_SIZE_MAX } else { asked.page_size.min(PAGE_SIZE_MAX) };
        let token = &asked.page_token;
        let from = if asked.order_by.is_empty() {
            Cursor::from_token(token)?.map(From::Usual)
        } else {
            Place::from_token(token)?.map(From::Sorted)
        };
        Ok(Self { page_size, order_by: &asked.order_by, from: from.unwrap_or(From::Start) })
    }

    /// The index that has all runs in this order, if there is one.
    pub(crate) fn index(&self) -> Option<RunIndex> {
        match self.order_by {
            [] => Some(RunIndex::Order),
            [SortKey { attribute: Attribute::System(SystemAttribute::StartTime), .. }] => {
                Some(RunIndex::Start)
            }
            _ => None,
        }
    }

    /// The one attribute that it is ordered by.
    pub(crate) const fn only_key(&self) -> Option<&SortKey> {
        match self.order_by {
            [key] => Some(key),
            _ => None,
        }
    }

    /// The first value of the place where a sorted list goes on, and the run there.
    pub(crate) fn place(&self) -> Option<(&Value, RunId)> {
        match &self.from {
            From::Sorted(place) => place.first(),
            _ => None,
        }
    }

    pub(crate) const fn is_usual(&self) -> bool {
        self.order_by.is_empty()
    }

    /// Starts a statement on the table: `execution e`, and how it is found.
    pub(crate) fn select(&self, table: &str) -> Reading {
        let mut sql = Sql::default();
        let order = (!self.is_usual()).then(|| Order::new(self.order_by, &mut sql));
        let more = order.as_ref().map(Order::columns).unwrap_or_default();
        sql.text = format!("SELECT {COLUMNS}{more} FROM {table} WHERE ");
        Reading { sql, order }
    }

    /// Starts a statement that finds nothing but rows.
    pub(crate) fn select_ids(&self, table: &str) -> Reading {
        let mut sql = Sql::default();
        let order = (!self.is_usual()).then(|| Order::new(self.order_by, &mut sql));
        sql.text = format!("SELECT e.id FROM {table} WHERE ");
        Reading { sql, order }
    }

    /// Leaves out what earlier pages had, and orders.
    pub(crate) fn finish(&self, reading: &mut Reading) -> Result<(), Error> {
        let Reading { sql, order } = reading;
        match (&self.from, &order) {
            (From::Usual(from), None) => {
                let close_time = sql.bind(from.close_time);
                let start_time = sql.bind(from.start_time);
                let run_id = sql.bind(from.run_id.as_bytes().to_vec());
                sql.text.push_str(&format!(
                    " AND (e.close_time, e.start_time) <= ({close_time}, {start_time}) \
                     AND (e.close_time <> {close_time} OR e.start_time <> {start_time} \
                     OR e.run_id > {run_id})"
                ));
            }
            (From::Sorted(from), Some(order)) => {
                let after = order.after(from, sql)?;
                sql.text.push_str(&format!(" AND {after}"));
            }
            _ => {}
        }
        match order {
            None => sql.text.push_str(" ORDER BY e.close_time DESC, e.start_time DESC, e.run_id"),
            Some(order) => sql.text.push_str(&order.clause()),
        }
        Ok(())
    }
}

impl Reading {
    /// The page token of a list that goes on after this row.
    pub(crate) fn token(&self, row: &Row<'_>, last: &Record) -> Result<Vec<u8>, Error> {
        match &self.order {
            None => Ok(cursor(last).to_token()),
            Some(order) => Ok(order.place(row, COLUMN_COUNT, last.run_id)?.to_token()),
        }
    }

    /// Runs a finished statement.
    pub(crate) fn page(
        mut self,
        connection: &Connection,
        namespace_id: NamespaceId,
        page_size: usize,
    ) -> Result<Page, Error> {
        // One more than the page has tells whether another page follows.
        let limit = self.sql.bind(i64::try_from(page_size + 1).unwrap_or(i64::MAX));
        self.sql.text.push_str(&format!(" LIMIT {limit}"));
        let mut statement = connection.prepare_cached(&self.sql.text)?;
        let mut rows = statement.query(params_from_iter(&self.sql.parameters))?;
        let mut records = Vec::new();
        let mut end = Vec::new();
        while let Some(row) = rows.next()? {
            if records.len() == page_size {
                return Ok(Page { records, next_page_token: end });
            }
            let record = record(row, namespace_id)?;
            if records.len() + 1 == page_size {
                end = self.token(row, &record)?;
            }
            records.push(record);
        }
        Ok(Page { records, next_page_token: Vec::new() })
    }
}
