//! Predicates as SQL over the tables of [`crate::database`].

use model::{NamespaceId, RunId};
use rusqlite::{Connection, params_from_iter, types::Value as Parameter};
use visibility_query::{
    Attribute, AttributeType, Comparison, Condition, Predicate, SystemAttribute, Test, Value,
};

use crate::{
    Error,
    database::OPEN,
    id_set::IdSet,
    plan::Scope,
    sort::{READ_NUMBER, READ_STRING},
};

/// Values in one filter; SQLite takes 32,766 parameters per statement.
const VALUES_MAX: usize = 30_000;

/// The hyphenated text of a run id that is stored as bytes; null stays null.
fn uuid_text(column: &str) -> String {
    format!(
        "CASE WHEN {column} IS NOT NULL THEN lower(substr(hex({column}), 1, 8) || '-' || substr(hex({column}), 9, 4) || '-' || \
         substr(hex({column}), 13, 4) || '-' || substr(hex({column}), 17, 4) || '-' || \
         substr(hex({column}), 21, 12)) END"
    )
}

/// A statement under construction.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Parameter>,
    /// Conditions on search attributes with one value are checked on the row, not looked up.
    pub(crate) by_row: bool,
}

impl Sql {
    /// Adds a parameter and returns its place holder.
    pub(crate) fn bind(&mut self, value: impl Into<Parameter>) -> String {
        self.parameters.push(value.into());
        format!("?{}", self.parameters.len())
    }

    /// Runs a statement that finds one number.
    pub(crate) fn count(&self, connection: &Connection) -> Result<u64, Error> {
        let mut statement = connection.prepare_cached(&self.text)?;
        let found: i64 =
            statement.query_row(params_from_iter(&self.parameters), |row| row.get(0))?;
        Ok(found.unsigned_abs())
    }

    /// Adds the condition that a row of `execution e` belongs to the namespace, is in the division
    /// that the filter is about, and matches the filter.
    pub(crate) fn push_filter(
        &mut self,
        namespace_id: NamespaceId,
        filter: &Predicate,
    ) -> Result<(), Error> {
        let namespace = self.bind(namespace_id.as_bytes().to_vec());
        let namespace = format!("(SELECT id FROM namespace WHERE uuid = {namespace})");
        let division = match only_division(filter) {
            None if filter.mentions(SystemAttribute::TemporalNamespaceDivision) => None,
            only => Some(self.bind(only.unwrap_or_default().to_owned())),
        };
        let scope = match division {
            None => format!("e.scope IN (SELECT id FROM scope WHERE namespace = {namespace})"),
            // The indexes are in the order of lists within one scope only.
            Some(division) => format!(
                "e.scope = (SELECT id FROM scope WHERE namespace = {namespace} AND division = {division})"
            ),
        };
        let filter = self.predicate(&namespace, filter);
        if self.parameters.len() > VALUES_MAX {
            return Err(Error::TooManyValues { max: VALUES_MAX });
        }
        self.text.push_str(&format!("{scope} AND ({filter})"));
        Ok(())
    }

    /// Starts with the condition that a row is one of these.
    pub(crate) fn push_ids(&mut self, ids: &IdSet) {
        let ids: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
        let ids = self.bind(format!("[{}]", ids.join(",")));
        self.text.push_str(&format!("e.id IN (SELECT value FROM json_each({ids})) AND "));
    }

    /// Adds the condition that a row of `execution e` is in the scope and passes all of these.
    pub(crate) fn push_conditions<'a>(
        &mut self,
        scope: Scope,
        conditions: impl IntoIterator<Item = &'a Predicate>,
    ) -> Result<(), Error> {
        let namespace = self.bind(scope.namespace);
        let id = self.bind(scope.id);
        self.text.push_str(&format!("e.scope = {id}"));
        for condition in conditions {
            let condition = self.predicate(&namespace, condition);
            self.text.push_str(&format!(" AND ({condition})"));
        }
        if self.parameters.len() > VALUES_MAX {
            return Err(Error::TooManyValues { max: VALUES_MAX });
        }
        Ok(())
    }

    pub(crate) fn predicate(&mut self, namespace: &str, predicate: &Predicate) -> String {
        match predicate {
            Predicate::And(members) if members.is_empty() => "1".to_owned(),
            Predicate::Or(members) if members.is_empty() => "0".to_owned(),
            Predicate::And(members) => self.balanced(namespace, members, "AND"),
            Predicate::Or(members) => self.balanced(namespace, members, "OR"),
            Predicate::Condition(condition) => self.condition(namespace, condition),
        }
    }

    /// Joins as a balanced tree: SQLite limits the depth of expressions, not their size.
    fn balanced(&mut self, namespace: &str, members: &[Predicate], word: &str) -> String {
        match members {
            [] => "1".to_owned(),
            [only] => self.predicate(namespace, only),
            _ => {
                let (left, right) = members.split_at(members.len() / 2);
                let left = self.balanced(namespace, left, word);
                let right = self.balanced(namespace, right, word);
                format!("({left} {word} {right})")
            }
        }
    }

    fn condition(&mut self, namespace: &str, condition: &Condition) -> String {
        match &condition.attribute {
            Attribute::System(attribute) => self.system(namespace, *attribute, &condition.test),
            Attribute::Stored { name, kind } => {
                self.stored(namespace, name, *kind, &condition.test)
            }
        }
    }

    fn system(&mut self, namespace: &str, attribute: SystemAttribute, test: &Test) -> String {
        use SystemAttribute as System;
        match attribute {
            System::WorkflowId => self.plain("e.workflow_id", test),
            System::WorkflowType => self.plain("e.workflow_type", test),
            System::TaskQueue => self.plain("e.task_queue", test),
            System::StartTime => self.plain("e.start_time", test),
            System::ExecutionTime => self.plain("e.execution_time", test),
            System::ExecutionStatus => self.plain("e.status", test),
            System::ParentWorkflowId => self.plain("e.parent_workflow_id", test),
            System::CloseTime => self.close_time(test),
            System::HistoryLength => self.closed("e.history_length", test),
            System::HistorySizeBytes => self.closed("e.history_size_bytes", test),
            System::ExecutionDuration => self.closed("e.execution_duration", test),
            System::StateTransitionCount => self.closed("e.state_transition_count", test),
            System::RunId => self.run_id("e.run_id", test),
            System::ParentRunId => self.run_id("e.parent_run_id", test),
            System::RootWorkflowId => self.root(["e.root_workflow_id", "e.workflow_id"], test),
            System::RootRunId => {
                let own = self.run_id("e.run_id", test);
                let root = self.run_id("e.root_run_id", test);
                own_or_root(test, &own, &root)
            }
            System::TemporalNamespaceDivision => self.division(namespace, test),
        }
    }

    /// A column that is null in SQL when the attribute is.
    pub(crate) fn plain(&mut self, column: &str, test: &Test) -> String {
        match test {
            Test::Null { negated: false } => format!("{column} IS NULL"),
            Test::Null { negated: true } => format!("{column} IS NOT NULL"),
            _ => self.value_test(column, test),
        }
    }

    /// A column that counts as null while the run is open.
    pub(crate) fn closed(&mut self, column: &str, test: &Test) -> String {
        match test {
            Test::Null { negated: false } => format!("e.close_time = {OPEN}"),
            Test::Null { negated: true } => format!("e.close_time < {OPEN}"),
            _ => format!("(e.close_time < {OPEN} AND {})", self.value_test(column, test)),
        }
    }

    pub(crate) fn close_time(&mut self, test: &Test) -> String {
        if is_before_open(test) {
            self.value_test("e.close_time", test)
        } else {
            self.closed("e.close_time", test)
        }
    }

    /// Written so that both halves can use their index.
    fn root(&mut self, [root, own]: [&str; 2], test: &Test) -> String {
        let own = self.plain(own, test);
        let root = self.plain(root, test);
        own_or_root(test, &own, &root)
    }

    pub(crate) fn run_id(&mut self, column: &str, test: &Test) -> String {
        let equal = |value: &Value| {
            let text = value.as_str()?;
            let run_id: RunId = text.parse().ok()?;
            (run_id.to_string() == text).then(|| Parameter::Blob(run_id.as_bytes().to_vec()))
        };
        match test {
            Test::Compare(Comparison::Equal, value) => match equal(value) {
                Some(bytes) => format!("{column} = {}", self.bind(bytes)),
                None => "0".to_owned(),
            },
            Test::In { values, negated: false } => {
                let known: Vec<Parameter> = values.iter().filter_map(equal).collect();
                let known: Vec<String> = known.into_iter().map(|bytes| self.bind(bytes)).collect();
                format!("{column} IN ({})", known.join(", "))
            }
            Test::Null { .. } => self.plain(column, test),
            _ => self.value_test(&uuid_text(column), test),
        }
    }

    fn division(&mut self, namespace: &str, test: &Test) -> String {
        let matches = match test {
            Test::Null { negated: false } => "division = ''".to_owned(),
            Test::Null { negated: true } => "division <> ''".to_owned(),
            _ => format!("division <> '' AND {}", self.value_test("division", test)),
        };
        format!("e.scope IN (SELECT id FROM scope WHERE namespace = {namespace} AND {matches})")
    }

    /// The search for the runs that pass a condition on a search attribute, and whether those that
    /// it does not find are meant.
    pub(crate) fn search_stored(
        &mut self,
        namespace: &str,
        name: &str,
        kind: AttributeType,
        test: &Test,
    ) -> (String, bool) {
        let table = if kind == AttributeType::Text { "text" } else { "attribute" };
        let name = self.bind(name.to_owned());
        let rows = format!(
            "SELECT execution FROM {table} WHERE name = \
             (SELECT id FROM attribute_name WHERE namespace = {namespace} AND name = {name})"
        );
        if let Test::Null { negated } = test {
            return (rows, !negated);
        }
        let outside = kind.is_many() && is_negative(test);
        let positive = if outside { test.clone().opposite() } else { test.clone() };
        if let (AttributeType::Text, Test::In { values, .. }) = (kind, &positive) {
            let phrases = self.bind(any_phrase(values));
            let found = format!("SELECT rowid FROM text_words WHERE text_words MATCH {phrases}");
            return (format!("{rows} AND id IN ({found})"), outside);
        }
        let matches = self.passes(kind, &positive);
        (format!("{rows} AND {matches}"), outside)
    }

    /// The condition that a value in the tables of attributes passes: one of this type, not null.
    pub(crate) fn passes(&mut self, kind: AttributeType, test: &Test) -> String {
        let matches = self.value_test("value", test);
        let same_type = if is_string(kind) { "value >= ''" } else { "value < ''" };
        match says_type(is_string(kind), test) {
            true => matches,
            false => format!("{same_type} AND {matches}"),
        }
    }

    fn stored(&mut self, namespace: &str, name: &str, kind: AttributeType, test: &Test) -> String {
        if self.by_row && !kind.is_many() {
            let read = if is_string(kind) { READ_STRING } else { READ_NUMBER };
            let value = format!("{read}(e.search_attributes, {})", self.bind(name.to_owned()));
            return self.plain(&value, test);
        }
        let (search, outside) = self.search_stored(namespace, name, kind, test);
        format!("e.id{} IN ({search})", not(outside))
    }

    /// A test of an SQL expression, which is false or null when the expression is null.
    fn value_test(&mut self, subject: &str, test: &Test) -> String {
        match test {
            Test::Compare(comparison, value) => {
                let value = self.bind(parameter(value));
                format!("{subject} {} {value}", comparison.symbol())
            }
            Test::In { values, negated } => {
                let values: Vec<String> =
                    values.iter().map(|value| self.bind(parameter(value))).collect();
                format!("{subject}{} IN ({})", not(*negated), values.join(", "))
            }
            Test::Between { low, high, negated } => {
                let low = self.bind(parameter(low));
                let high = self.bind(parameter(high));
                format!("{subject}{} BETWEEN {low} AND {high}", not(*negated))
            }
            Test::StartsWith { prefix, negated } => self.prefix_test(subject, prefix, *negated),
            Test::Contains { part, negated } => {
                let part = self.bind(part.clone());
                let comparison = if *negated { "=" } else { ">" };
                format!("instr({subject}, {part}) {comparison} 0")
            }
            Test::Null { negated } => format!("{subject} IS{} NULL", not(*negated)),
        }
    }

    /// A prefix is a range, which can use an index.
    fn prefix_test(&mut self, subject: &str, prefix: &str, negated: bool) -> String {
        let low = self.bind(prefix.to_owned());
        match (after_prefix(prefix).map(|high| self.bind(high)), negated) {
            (Some(high), false) => format!("({subject} >= {low} AND {subject} < {high})"),
            (Some(high), true) => format!("({subject} < {low} OR {subject} >= {high})"),
            (None, false) => format!("{subject} >= {low}"),
            (None, true) => format!("{subject} < {low}"),
        }
    }
}

/// The one division that all matching runs are in; empty for plain workflows. None when the filter
/// leaves more than one, or says nothing.
pub(crate) fn only_division(filter: &Predicate) -> Option<&str> {
    filter.conjuncts().iter().find_map(division_of)
}

/// The division that a condition is about, if it names one.
pub(crate) fn division_of(predicate: &Predicate) -> Option<&str> {
    let Predicate::Condition(Condition { attribute, test }) = predicate else { return None };
    if *attribute != Attribute::System(SystemAttribute::TemporalNamespaceDivision) {
        return None;
    }
    match test {
        Test::Null { negated: false } => Some(""),
        Test::Compare(Comparison::Equal, Value::String(division)) => Some(division.as_str()),
        _ => None,
    }
}

/// A run without a stored root is its own root.
fn own_or_root(test: &Test, own: &str, root: &str) -> String {
    match test {
        Test::Null { negated } => if *negated { "1" } else { "0" }.to_owned(),
        _ => format!("((e.root_run_id IS NULL AND {own}) OR {root})"),
    }
}

const fn not(negated: bool) -> &'static str {
    if negated { " NOT" } else { "" }
}

/// Whether only values of its own type pass a test. Rows of another type may be left from before the
/// attribute changed its type; SQLite orders all numbers before all strings. Asked only where it
/// makes a difference: of two bounds on one side SQLite starts its search at the first.
const fn says_type(is_string: bool, test: &Test) -> bool {
    use Comparison as Is;
    match test {
        Test::Compare(Is::Equal, _)
        | Test::In { negated: false, .. }
        | Test::Between { negated: false, .. } => true,
        Test::Compare(Is::Greater | Is::GreaterOrEqual, _)
        | Test::StartsWith { negated: false, .. } => is_string,
        Test::Compare(Is::Less | Is::LessOrEqual, _) => !is_string,
        _ => false,
    }
}

/// Whether the values of a search attribute are strings; else they are numbers.
const fn is_string(kind: AttributeType) -> bool {
    matches!(kind, AttributeType::Text | AttributeType::Keyword | AttributeType::KeywordList)
}

pub(crate) const fn is_negative(test: &Test) -> bool {
    matches!(
        test,
        Test::Compare(Comparison::NotEqual, _)
            | Test::In { negated: true, .. }
            | Test::Between { negated: true, .. }
            | Test::StartsWith { negated: true, .. }
            | Test::Contains { negated: true, .. }
    )
}

/// True if no open run passes the test on its stored close time. It is asked alone then: of two upper
/// bounds SQLite starts its search at the first, which need not be the lower.
fn is_before_open(test: &Test) -> bool {
    let before = |value: &Value| matches!(value, Value::Time(time) if time.nanos() < OPEN);
    match test {
        Test::Compare(Comparison::Equal | Comparison::Less | Comparison::LessOrEqual, value) => {
            before(value)
        }
        Test::In { values, negated: false } => values.iter().all(before),
        Test::Between { high, negated: false, .. } => before(high),
        _ => false,
    }
}

/// A full-text query for any of the phrases. Each is quoted, so that it has no operators.
fn any_phrase(values: &[Value]) -> String {
    let quoted: Vec<String> = values
        .iter()
        .filter_map(Value::as_str)
        .map(|phrase| format!("\"{}\"", phrase.replace('"', "\"\"")))
        .collect();
    quoted.join(" OR ")
}

pub(crate) fn parameter(value: &Value) -> Parameter {
    match value {
        Value::String(text) => Parameter::Text(text.clone()),
        Value::Int(number) => Parameter::Integer(*number),
        Value::Double(number) => Parameter::Real(*number),
        Value::Bool(value) => Parameter::Integer((*value).into()),
        Value::Time(time) => Parameter::Integer(time.nanos()),
    }
}

/// The least string after all those that start with the prefix, if there is one.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use model::NamespaceId;
    use rusqlite::params_from_iter;
    use visibility_query::{Schema, parse};

    use super::{Sql, after_prefix};
    use crate::database::open_memory;

    fn plan(query: &str) -> String {
        let filter = parse(query, &Schema::default(), model::Time::from_nanos(0)).unwrap().filter;
        let mut sql = Sql::default();
        sql.text.push_str("EXPLAIN QUERY PLAN SELECT e.memo FROM execution e WHERE ");
        sql.push_filter(NamespaceId::from_bytes([1; 16]), &filter).unwrap();
        sql.text.push_str(" ORDER BY e.close_time DESC, e.start_time DESC, e.run_id LIMIT 10");
        let connection = open_memory().unwrap();
        let mut statement = connection.prepare(&sql.text).unwrap();
        let steps = statement
            .query_map(params_from_iter(&sql.parameters), |row| row.get::<_, String>(3))
            .unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    /// The server asks for plain workflows, or for those of one kind of entity.
    #[test]
    fn lists_of_one_division_are_read_in_their_order() {
        for query in [
            "",
            "TemporalNamespaceDivision IS NULL",
            "TemporalNamespaceDivision = 'TemporalScheduler'",
            "WorkflowType = 'a' AND (TaskQueue = 'b' AND TemporalNamespaceDivision IS NULL)",
        ] {
            let plan = plan(query);
            assert!(!plan.contains("FOR ORDER BY"), "{query}: {plan}");
            assert!(plan.contains("USING INDEX execution_"), "{query}: {plan}");
        }
    }

    #[test]
    fn what_follows_a_prefix_is_the_next_string_that_lacks_it() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
