//! Queries with the answers that the reference server (1.32, SQLite) gives to them.

use std::collections::BTreeMap;

use model::Time;
use visibility_query::{AttributeType, Query, QueryError, Schema, parse};

fn schema() -> Schema {
    Schema::new(BTreeMap::from(
        [
            ("CKw", AttributeType::Keyword),
            ("CKl", AttributeType::KeywordList),
            ("CText", AttributeType::Text),
            ("CInt", AttributeType::Int),
            ("CDbl", AttributeType::Double),
            ("CBool", AttributeType::Bool),
            ("CTime", AttributeType::Datetime),
            ("contains", AttributeType::Keyword),
        ]
        .map(|(name, kind)| (name.to_owned(), kind)),
    ))
}

fn read(text: &str) -> Result<Query, QueryError> {
    // 2023-11-14T22:13:20Z
    parse(text, &schema(), Time::from_nanos(1_700_000_000_000_000_000))
}

/// Each query reads as the second text, which is how the predicate shows itself.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let shown = read(text).map(|query| query.filter.to_string());
        assert_eq!(shown.as_deref(), Ok(*expected), "{text}");
    }
}

/// Each query is refused with the text, after `invalid query: `.
fn check_refused(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let refused = read(text).map_err(|error| error.to_string());
        assert_eq!(refused, Err(format!("invalid query: {expected}")), "{text}");
    }
}

#[test]
fn conditions_are_read() {
    check(&[
        ("", ""),
        ("WorkflowId = 'w1'", "WorkflowId = 'w1'"),
        ("WorkflowId = \"w1\"", "WorkflowId = 'w1'"),
        ("`WorkflowId` = 'w1'", "WorkflowId = 'w1'"),
        ("WorkflowId <> 'w1'", "WorkflowId != 'w1'"),
        ("WorkflowId starts_with 'w'", "WorkflowId STARTS_WITH 'w'"),
        ("WorkflowId NOT STARTS_WITH 'w'", "WorkflowId NOT STARTS_WITH 'w'"),
        ("WorkflowId in ('w1','w2')", "WorkflowId IN ('w1', 'w2')"),
        ("WorkflowId NOT IN ('w1','w2')", "WorkflowId NOT IN ('w1', 'w2')"),
        ("WorkflowId BETWEEN 'a' AND 'w1'", "WorkflowId BETWEEN 'a' AND 'w1'"),
        ("WorkflowId IS NOT NULL", "WorkflowId IS NOT NULL"),
        ("((WorkflowId = 'w1'))", "WorkflowId = 'w1'"),
        ("WorkflowId = 'w1' -- comment", "WorkflowId = 'w1'"),
        ("WorkflowId /* the id */ = 'w1' ;", "WorkflowId = 'w1'"),
        ("CKw = 'it''s'", "CKw = 'it''s'"),
        (r"CKw = 'it\'s'", "CKw = 'it''s'"),
        ("CKw = \"it's\"", "CKw = 'it''s'"),
        ("CKw = 'wé'", "CKw = 'wé'"),
        ("TemporalWorkflowId = 'w1'", "WorkflowId = 'w1'"),
        ("ScheduledById = 'a'", "TemporalScheduledById = 'a'"),
        ("CText = 'The  BIG-fox'", "CText = 'The BIG-fox'"),
        ("CKl IN ('a','c')", "CKl IN ('a', 'c')"),
        ("CBool != TRUE", "CBool != true"),
        ("StartTime > '9999-12-31T23:59:59Z'", "StartTime > '2262-04-11T23:47:16.854775807Z'"),
        ("StartTime > '2020-01-01T1:00:00,5Z'", "StartTime > '2020-01-01T01:00:00.5Z'"),
        ("ExecutionDuration > '1.5d'", "ExecutionDuration > 129600000000000"),
    ]);
}

#[test]
fn and_binds_tighter_than_or_and_not_goes_to_the_leaves() {
    check(&[
        (
            "WorkflowId = 'w1' OR WorkflowId = 'w2' AND WorkflowType='zz'",
            "WorkflowId = 'w1' OR (WorkflowId = 'w2' AND WorkflowType = 'zz')",
        ),
        ("CInt = 1 && CInt = 2 || CInt = 3", "(CInt = 1 AND CInt = 2) OR CInt = 3"),
        ("NOT WorkflowId = 'w1'", "WorkflowId != 'w1'"),
        ("NOT (CInt = 1 OR CKw IS NULL)", "CInt != 1 AND CKw IS NOT NULL"),
        ("NOT (CInt < 1 AND NOT CInt BETWEEN 2 AND 3)", "CInt >= 1 OR CInt BETWEEN 2 AND 3"),
        ("NOT CloseTime > 5", "CloseTime <= '1970-01-01T00:00:00.000000005Z'"),
    ]);
}

#[test]
fn values_take_the_type_of_their_attribute() {
    check(&[
        ("ExecutionStatus = 1", "ExecutionStatus = 'Running'"),
        ("ExecutionStatus IN ('Running',5)", "ExecutionStatus IN ('Running', 'Terminated')"),
        ("ExecutionStatus BETWEEN 1 AND 2", "ExecutionStatus BETWEEN 'Running' AND 'Completed'"),
        ("StartTime > '2020-01-01T02:00:00+02:00'", "StartTime > '2020-01-01T00:00:00Z'"),
        ("StartTime > 1577836800000000000", "StartTime > '2020-01-01T00:00:00Z'"),
        ("ExecutionDuration > '1h30m'", "ExecutionDuration > 5400000000000"),
        ("ExecutionDuration > '1'", "ExecutionDuration > 1"),
        ("ExecutionDuration IN ('1s', 5)", "ExecutionDuration IN (1000000000, 5)"),
        ("CInt = +5", "CInt = 5"),
        ("CInt > - 1", "CInt > -1"),
        ("CInt = 5.0", "CInt = 5.0"),
        ("CInt = 9223372036854775808", "CInt = 9.223372036854776e18"),
        ("CInt = 1e3", "CInt = 1000.0"),
        ("CDbl > 1", "CDbl > 1.0"),
        ("CDbl > .5", "CDbl > 0.5"),
    ]);
}

#[test]
fn syntax_errors_have_the_place_and_the_token() {
    let malformed = "malformed SQL query: syntax error at position";
    for (text, expected) in [
        ("WorkflowId == 'w1'", "41"),
        ("WorkflowId STARTS_WITH", "50"),
        ("WorkflowId IN 'w1'", "46 near 'w1'"),
        ("WorkflowId IN ()", "44"),
        ("WorkflowId = 'w1' AND", "49"),
        ("AND", "31 near 'and'"),
        ("(", "29"),
        ("WorkflowId = 'w1' XOR WorkflowId = 'w2'", "49 near 'xor'"),
        ("WorkflowId = 1h", "42 near '1'"),
        ("WorkflowId NOT = 'w1'", "44"),
        ("GROUP ExecutionStatus", "33 near 'group'"),
        ("LIMIT 5", "33 near 'limit'"),
        ("WorkflowId = 'w1'; DROP TABLE x", "51 near 'drop'"),
        ("WorkflowId = 'w1", "44 near 'w1'"),
        ("WorkflowId = \"w1", "44 near 'w1'"),
        ("WorkflowId = 'w1' 'w2'", "50 near 'w2'"),
        ("WorkflowId = 'w1' WorkflowType = 'a'", "58 near 'WorkflowType'"),
        ("WorkflowId = 'w1')", "46"),
        ("WorkflowId = $1", "42 near '$'"),
        ("CInt = --5", "38"),
        ("GROUP BY", "30"),
    ] {
        check_refused(&[(text, &format!("{malformed} {expected}"))]);
    }
}

#[test]
fn what_sql_has_and_filters_lack_is_named() {
    check_refused(&[
        ("WorkflowId", "invalid expression: incomplete expression"),
        (
            "'w1' = WorkflowId",
            "invalid expression: must be a column name but was *sqlparser.SQLVal",
        ),
        ("'w1'", "operation is not supported: expression of type *sqlparser.SQLVal"),
        ("true", "operation is not supported: expression of type sqlparser.BoolVal"),
        ("NULL", "operation is not supported: expression of type *sqlparser.NullVal"),
        (
            "WorkflowId = w1",
            "operation is not supported: column name on the right side of comparison expression \
             (did you forget to quote \"w1\"?)",
        ),
        (
            "WorkflowId = @x",
            "operation is not supported: column name on the right side of comparison expression \
             (did you forget to quote \"@x\"?)",
        ),
        (
            "WorkflowId IS TRUE",
            "invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'",
        ),
        ("WorkflowId = NULL", "invalid expression: unexpected value type *sqlparser.NullVal"),
        (
            "!(WorkflowId = 'w1')",
            "operation is not supported: expression of type *sqlparser.UnaryExpr",
        ),
        ("WorkflowId > now()", "operation is not supported: nested func"),
        ("lower(WorkflowId)", "operation is not supported: function expression"),
        ("count(*)", "operation is not supported: function expression"),
        (
            "lower(WorkflowId) = 'w1'",
            "invalid expression: must be a column name but was *sqlparser.FuncExpr",
        ),
        (
            "WorkflowId = 'w' + '1'",
            "invalid expression: unexpected value type *sqlparser.BinaryExpr",
        ),
        (
            "CInt DIV 2 = 2",
            "invalid expression: must be a column name but was *sqlparser.BinaryExpr",
        ),
        (
            "WorkflowId = (SELECT 1)",
            "invalid expression: unexpected value type *sqlparser.Subquery",
        ),
        (
            "EXISTS (SELECT 1)",
            "operation is not supported: expression of type *sqlparser.ExistsExpr",
        ),
        (
            "CASE WHEN 1 THEN 2 END",
            "operation is not supported: expression of type *sqlparser.CaseExpr",
        ),
        ("WorkflowId = ('w1')", "invalid expression: unexpected value type *sqlparser.ParenExpr"),
        (
            "(WorkflowId) = 'w1'",
            "invalid expression: must be a column name but was *sqlparser.ParenExpr",
        ),
        ("WorkflowId = ?", "invalid expression: unable to parse value \":v1\""),
        ("WorkflowId = :x", "invalid expression: unable to parse value \":x\""),
        ("CInt = 0x5", "invalid expression: unable to parse value \"0x5\""),
        ("WorkflowId = 'w1' LIMIT 5", "operation is not supported: 'LIMIT' clause"),
    ]);
}

#[test]
fn values_of_another_type_are_refused() {
    let value = "invalid expression: invalid value type for search attribute";
    for (text, expected) in [
        ("WorkflowId = 5", "WorkflowId of type Keyword: 5 (type: int64)"),
        ("WorkflowId = 5.5", "WorkflowId of type Keyword: 5.5 (type: float64)"),
        ("WorkflowId STARTS_WITH 5", "WorkflowId of type Keyword: 5 (type: int64)"),
        ("CKw IN ('abc', 5)", "CKw of type Keyword: 5 (type: int64)"),
        ("HistoryLength > '1'", "HistoryLength of type Int: \"1\" (type: string)"),
        ("HistoryLength = true", "HistoryLength of type Int: true (type: bool)"),
        ("CInt LIKE 'a'", "CInt of type Int: \"a\" (type: string)"),
        ("CDbl = '1.5'", "CDbl of type Double: \"1.5\" (type: string)"),
        ("CBool = 1", "CBool of type Bool: 1 (type: int64)"),
        ("CText = 5", "CText of type Text: 5 (type: int64)"),
        ("CKl = true", "CKl of type KeywordList: true (type: bool)"),
        ("StartTime = 1.5", "StartTime of type Datetime: 1.5 (type: float64)"),
        ("StartTime = 1e20", "StartTime of type Datetime: 1e+20 (type: float64)"),
        ("ExecutionStatus = true", "ExecutionStatus of type Keyword: true (type: bool)"),
    ] {
        check_refused(&[(text, &format!("{value} {expected}"))]);
    }
    check_refused(&[
        (
            "ExecutionStatus STARTS_WITH 'Running'",
            "invalid expression: right-hand side of \"starts_with\" operator must be a literal \
             string (got: Running)",
        ),
        ("StartTime > '2020-01-01'", "invalid expression: unable to parse datetime '2020-01-01'"),
        ("StartTime LIKE 'a'", "invalid expression: unable to parse datetime 'a'"),
        (
            "ExecutionStatus = 'running'",
            "invalid expression: invalid ExecutionStatus value 'running'",
        ),
        ("ExecutionStatus = '1'", "invalid expression: invalid ExecutionStatus value '1'"),
        ("ExecutionStatus = 99", "invalid expression: invalid ExecutionStatus value 99"),
        (
            "ExecutionDuration > 'abc'",
            "invalid expression: invalid duration value for search attribute ExecutionDuration: abc",
        ),
        (
            "ExecutionDuration > 1.5",
            "invalid expression: unexpected value type float64 for search attribute \
             ExecutionDuration",
        ),
        (
            "CText = ''",
            "invalid expression: no tokens found filtering on Text type search attribute CText",
        ),
    ]);
}

#[test]
fn operators_that_a_type_lacks_are_refused() {
    for (text, operator, kind, name) in [
        ("WorkflowId LIKE 'w%'", "LIKE", "Keyword", "WorkflowId"),
        ("WorkflowId NOT LIKE 'w%'", "NOT LIKE", "Keyword", "WorkflowId"),
        ("WorkflowId REGEXP 'w'", "REGEXP", "Keyword", "WorkflowId"),
        ("CText > 'quick'", ">", "Text", "CText"),
        ("CText IN ('quick')", "IN", "Text", "CText"),
        ("CText STARTS_WITH 'qu'", "STARTS_WITH", "Text", "CText"),
        ("CKl > 'a'", ">", "KeywordList", "CKl"),
        ("CKl LIKE 'a'", "LIKE", "KeywordList", "CKl"),
    ] {
        let expected = format!(
            "operation is not supported: operator '{operator}' not supported for {kind} type \
             search attribute '{name}'"
        );
        check_refused(&[(text, &expected)]);
    }
    let range = "invalid expression: cannot do range condition on search attribute";
    check_refused(&[
        ("CBool BETWEEN false AND true", &format!("{range} 'CBool' of type Bool")),
        ("CText BETWEEN 'a' AND 'b'", &format!("{range} 'CText' of type Text")),
        ("CKl BETWEEN 'a' AND 'b'", &format!("{range} 'CKl' of type KeywordList")),
    ]);
}

#[test]
fn unknown_names_are_refused() {
    check_refused(&[
        ("workflowid = 'w1'", "invalid search attribute: workflowid"),
        ("Unknown IS NULL", "invalid search attribute: Unknown"),
        ("a.b = 'x'", "invalid search attribute: a.b"),
        ("TemporalCKw = 'abc'", "invalid search attribute: TemporalCKw"),
        ("NamespaceId = 'x'", "invalid search attribute: NamespaceId"),
    ]);
}

#[test]
fn counts_are_grouped_by_one_of_two_attributes() {
    let group = |text: &str| read(text).unwrap().group_by.unwrap().name().to_owned();
    assert_eq!(group("GROUP BY ExecutionStatus"), "ExecutionStatus");
    assert_eq!(group("CInt = 1 group by `ExecutionStatus`"), "ExecutionStatus");
    assert_eq!(group("GROUP BY TemporalNamespaceDivision"), "TemporalNamespaceDivision");
    check_refused(&[
        (
            "GROUP BY WorkflowType",
            "operation is not supported: 'GROUP BY' clause is not supported for search attribute \
             WorkflowType",
        ),
        (
            "GROUP BY ExecutionStatus, WorkflowType",
            "operation is not supported: 'GROUP BY' clause supports only a single field",
        ),
        (
            "GROUP BY 'ExecutionStatus'",
            "invalid expression: must be a column name but was *sqlparser.SQLVal",
        ),
        (
            "GROUP BY ExecutionStatus ORDER BY StartTime",
            "operation is not supported: 'ORDER BY' clause",
        ),
        ("GROUP BY Unknown", "invalid search attribute: Unknown"),
    ]);
}

/// Where Longtide takes more than the reference.
#[test]
fn times_may_be_relative_to_now() {
    check(&[
        ("StartTime > now()", "StartTime > '2023-11-14T22:13:20Z'"),
        ("StartTime > NOW() - 1h", "StartTime > '2023-11-14T21:13:20Z'"),
        ("StartTime > now() - 1d12h + '30m'", "StartTime > '2023-11-13T10:43:20Z'"),
        (
            "CTime BETWEEN now() - 90s AND now()",
            "CTime BETWEEN '2023-11-14T22:11:50Z' AND '2023-11-14T22:13:20Z'",
        ),
        ("StartTime IN (now())", "StartTime IN ('2023-11-14T22:13:20Z')"),
    ]);
    let malformed = "malformed SQL query: syntax error at position";
    check_refused(&[
        ("StartTime > now() - 5", &format!("{malformed} 49 near '5'")),
        ("StartTime > now() - WorkflowId", &format!("{malformed} 58 near 'WorkflowId'")),
        ("StartTime > now() - 5y", "invalid expression: invalid duration '5y' after now()"),
        ("StartTime > now(1)", "operation is not supported: nested func"),
        (
            "now() > StartTime",
            "invalid expression: must be a column name but was *sqlparser.FuncExpr",
        ),
    ]);
}

#[test]
fn keywords_may_be_found_by_a_part() {
    check(&[
        ("WorkflowId contains 'x'", "WorkflowId CONTAINS 'x'"),
        ("NOT CKw CONTAINS 'x'", "CKw NOT CONTAINS 'x'"),
        ("CKl NOT CONTAINS 'x'", "CKl NOT CONTAINS 'x'"),
        ("`contains` = 'x' OR CInt = 1", "contains = 'x' OR CInt = 1"),
    ]);
    let operator = "operation is not supported: operator";
    check_refused(&[
        (
            "CText CONTAINS 'x'",
            &format!("{operator} 'CONTAINS' not supported for Text type search attribute 'CText'"),
        ),
        (
            "ExecutionStatus CONTAINS 'Running'",
            &format!(
                "{operator} 'CONTAINS' not supported for Keyword type search attribute \
                 'ExecutionStatus'"
            ),
        ),
        ("WorkflowId CONTAINS", "malformed SQL query: syntax error at position 47"),
    ]);
}

#[test]
fn lists_may_be_sorted() {
    let order = |text: &str| -> Vec<(String, bool)> {
        let keys = read(text).unwrap().order_by;
        keys.into_iter().map(|key| (key.attribute.name().to_owned(), key.descending)).collect()
    };
    assert_eq!(order("ORDER BY StartTime"), [("StartTime".to_owned(), false)]);
    assert_eq!(
        order("CInt > 1 order by CKw desc, `CDbl` ASC"),
        [("CKw".to_owned(), true), ("CDbl".to_owned(), false)]
    );
    check_refused(&[
        (
            "ORDER BY CText",
            "operation is not supported: unable to sort by field of Text type, use field of type \
             Keyword",
        ),
        ("ORDER BY Unknown", "invalid search attribute: Unknown"),
        ("ORDER BY 1", "invalid expression: must be a column name but was *sqlparser.SQLVal"),
        ("ORDER BY", "malformed SQL query: syntax error at position 30"),
    ]);
}
