//! The index agrees with a plain list of records on every filter.

use std::{cmp::Ordering, collections::BTreeMap};

use model::{RunId, Time};
use proptest::prelude::*;
use visibility::{Change, Effort, Index, Location, NAMESPACE_DIVISION, Record};
use visibility_query::{
    Attribute, AttributeType, Predicate, SortKey, SystemAttribute, Value, parse,
};

use crate::support::{self, NOW, expected, namespace, payload, schema, slot, values};

const NUMBERS: [&str; 5] = ["-1", "0", "1", "2", "9223372036854775807"];
const DOUBLES: [&str; 4] = ["-1.5", "0.5", "1.0", "2.25"];
const WORDS: [&str; 6] = ["a", "ab", "abc", "b", "It's", "É"];
const TIMES: [&str; 3] =
    ["1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000003Z", "2026-01-01T00:00:00Z"];

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS.to_vec())
}

fn attribute_values() -> impl Strategy<Value = BTreeMap<String, api::common::v1::Payload>> {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let keyword = prop::option::of(word()).prop_map(move |word| word.map(json));
    let list = prop::option::of(prop::collection::vec(word(), 0..3))
        .prop_map(|words| words.map(|words| serde_json::to_string(&words).unwrap()));
    let text = prop::option::of(prop::collection::vec(word(), 0..3))
        .prop_map(|words| words.map(|words| serde_json::to_string(&words.join(" ")).unwrap()));
    let pick = |texts: &[&'static str]| prop::option::of(prop::sample::select(texts.to_vec()));
    let time = pick(&TIMES).prop_map(move |time| time.map(json));
    let division = prop::option::weighted(0.3, prop::sample::select(vec!["\"a\"", "\"ab\""]));
    (keyword, list, text, pick(&NUMBERS), pick(&DOUBLES), pick(&["true", "false"]), time, division)
        .prop_map(|(keyword, list, text, number, double, yes, time, division)| {
            [
                ("Kw", AttributeType::Keyword, keyword),
                ("Kl", AttributeType::KeywordList, list),
                ("Txt", AttributeType::Text, text),
                ("Num", AttributeType::Int, number.map(str::to_owned)),
                ("Dbl", AttributeType::Double, double.map(str::to_owned)),
                ("Yes", AttributeType::Bool, yes.map(str::to_owned)),
                ("At", AttributeType::Datetime, time),
                (NAMESPACE_DIVISION, AttributeType::Keyword, division.map(str::to_owned)),
            ]
            .into_iter()
            .filter_map(|(name, kind, json)| Some((name.to_owned(), payload(kind, &json?))))
            .collect()
        })
}

fn records() -> impl Strategy<Value = Record> {
    let times = (prop::option::of(1_i64..5), 1_i64..5);
    let ids = (1_u8..3, 0_u64..12, 1_u64..6);
    (ids, 1_i32..8, times, word(), word(), attribute_values()).prop_map(
        |((space, number, version), status, times, kind, queue, attributes)| {
            let mut record = support::record(number, version);
            record.namespace_id = namespace(space);
            // Ids, start and parents of a run never change.
            record.workflow_id = WORDS[usize::try_from(number).unwrap() % WORDS.len()].to_owned();
            record.workflow_type = kind.to_owned();
            record.task_queue = queue.to_owned();
            record.status = status;
            record.start_time = Time::from_nanos(number.cast_signed() % 4 + 1);
            record.close_time = times.0.map_or(Time::UNSET, Time::from_nanos);
            record.execution_time = Time::from_nanos(times.1);
            record.history_length = times.1;
            record.execution_duration = record.close_time.since(record.start_time);
            if number.is_multiple_of(3) {
                let parent = visibility::Execution {
                    workflow_id: WORDS[usize::try_from(number).unwrap() / 3].to_owned(),
                    run_id: support::run(number / 3 + 100),
                };
                record.parent = Some(parent.clone());
                record.root = Some(parent);
            }
            record.search_attributes = attributes;
            record
        },
    )
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        12 => records().prop_map(|record| Change::Upsert(Box::new(record))),
        2 => (1_u8..3, 0_u64..12, 1_u64..6).prop_map(|(space, number, version)| Change::Delete {
            namespace_id: namespace(space),
            run_id: support::run(number),
            version,
        }),
        1 => (1_u8..3).prop_map(|space| Change::DeleteNamespace(namespace(space))),
    ]
}

/// A condition in the form of text, so that the typing is checked as well.
fn conditions() -> impl Strategy<Value = String> {
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    let strings = || prop::collection::vec(word().prop_map(quoted), 1..3);
    let keyword = (
        prop::sample::select(vec![
            "WorkflowId",
            "WorkflowType",
            "TaskQueue",
            "Kw",
            "ParentWorkflowId",
            "RootWorkflowId",
            "TemporalNamespaceDivision",
            "RunId",
            "ParentRunId",
            "RootRunId",
        ]),
        prop::sample::select(vec![
            "= {0}",
            "!= {0}",
            "< {0}",
            "<= {0}",
            "> {0}",
            ">= {0}",
            "IN ({*})",
            "NOT IN ({*})",
            "BETWEEN {0} AND {1}",
            "NOT BETWEEN {0} AND {1}",
            "STARTS_WITH {0}",
            "NOT STARTS_WITH {0}",
            "CONTAINS {0}",
            "NOT CONTAINS {0}",
            "IS NULL",
            "IS NOT NULL",
        ]),
        strings(),
        0_u64..12,
    )
        .prop_map(|(name, form, mut values, number)| {
            if name.ends_with("RunId") {
                values = vec![format!("'{}'", support::run(number)), values.remove(0)];
            }
            fill(name, form, &values)
        });
    let many = (
        prop::sample::select(vec![
            "Kl = {0}",
            "Kl != {0}",
            "Kl IN ({*})",
            "Kl NOT IN ({*})",
            "Kl CONTAINS {0}",
            "Kl NOT CONTAINS {0}",
            "Kl IS NULL",
            "Kl IS NOT NULL",
            "Txt = {0}",
            "Txt = 'b-a'",
            "Txt = 'abc ab/a'",
            "Txt != {0}",
            "Txt IS NULL",
            "Txt IS NOT NULL",
            "NOT Txt = {0}",
        ]),
        strings(),
    )
        .prop_map(|(form, values)| fill("", form, &values));
    let ordered = |names: &[&'static str], values: Vec<String>| {
        (
            prop::sample::select(names.to_vec()),
            prop::sample::select(vec![
                "= {0}",
                "!= {0}",
                "< {0}",
                "<= {0}",
                "> {0}",
                ">= {0}",
                "IN ({*})",
                "NOT IN ({*})",
                "BETWEEN {0} AND {1}",
                "NOT BETWEEN {0} AND {1}",
                "IS NULL",
                "IS NOT NULL",
            ]),
            prop::collection::vec(prop::sample::select(values), 1..3),
        )
            .prop_map(|(name, form, values)| fill(name, form, &values))
    };
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let small: Vec<String> = (0..6).map(|number: i64| number.to_string()).collect();
    let numbers = [owned(&NUMBERS), owned(&DOUBLES)].concat();
    prop_oneof![
        keyword,
        many,
        ordered(&["Num", "Dbl"], numbers),
        ordered(&["HistoryLength", "ExecutionDuration", "ExecutionStatus"], small.clone()),
        ordered(&["StartTime", "CloseTime", "ExecutionTime", "At"], small),
        prop::sample::select(owned(&["Yes = true", "Yes != true", "Yes IS NULL", "Yes < true"])),
    ]
}

fn fill(name: &str, form: &str, values: &[String]) -> String {
    let first = &values[0];
    let last = &values[values.len() - 1];
    let form = form.replace("{*}", &values.join(", ")).replace("{0}", first).replace("{1}", last);
    format!("{name} {form}")
}

fn filters() -> impl Strategy<Value = Predicate> {
    let text = conditions().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("NOT ({inner})")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|inner| format!("({})", inner.join(" AND "))),
            prop::collection::vec(inner, 2..4)
                .prop_map(|inner| format!("({})", inner.join(" OR "))),
        ]
    });
    prop_oneof![
        1 => Just(Predicate::everything()),
        9 => text.prop_map(|text| parse(&text, &schema(), NOW).map(|query| query.filter).expect(&text)),
        9 => (prop::collection::vec(conditions(), 1..4), divisions()).prop_map(|(mut all, division)| {
            all.extend(division);
            let text = all.join(" AND ");
            parse(&text, &schema(), NOW).map(|query| query.filter).expect(&text)
        }),
    ]
}

/// What the server adds, to leave out what is no plain workflow, or everything else.
fn divisions() -> impl Strategy<Value = Option<String>> {
    prop::sample::select(vec![
        None,
        Some("TemporalNamespaceDivision IS NULL".to_owned()),
        Some("TemporalNamespaceDivision = 'a'".to_owned()),
    ])
}

/// With so few runs each way to find them is taken when less counts as few.
fn efforts() -> impl Strategy<Value = Effort> {
    prop_oneof![
        1 => Just(Effort::default()),
        4 => (0_u64..5, 1_u64..4)
            .prop_map(|(few_runs, rows_in_vain)| Effort { few_runs, rows_in_vain }),
    ]
}

/// What the changes leave, by their rules.
fn outcome(changes: &[Change]) -> Vec<Record> {
    let mut records: BTreeMap<(model::NamespaceId, RunId), Record> = BTreeMap::new();
    let mut deleted: BTreeMap<(model::NamespaceId, RunId), u64> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Upsert(record) => {
                let key = (record.namespace_id, record.run_id);
                let known = records.get(&key).map_or(0, |known| known.version);
                let gone = deleted.get(&key).copied().unwrap_or(0);
                if record.version > known && (known > 0 || record.version > gone) {
                    records.insert(key, (**record).clone());
                }
            }
            Change::Delete { namespace_id, run_id, version } => {
                let key = (*namespace_id, *run_id);
                let gone = deleted.entry(key).or_default();
                *gone = (*gone).max(*version);
                if records.get(&key).is_some_and(|record| record.version <= *version) {
                    records.remove(&key);
                }
            }
            Change::DeleteNamespace(namespace_id) => {
                records.retain(|(known, _), _| known != namespace_id);
            }
            Change::Complete => {}
        }
    }
    records.into_values().collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn law_lists_and_counts_agree_with_a_plain_list(
        changes in prop::collection::vec(changes(), 1..40),
        filters in prop::collection::vec(filters(), 8),
        page_size in 1_usize..6,
        effort in efforts(),
    ) {
        let index = Index::open(&Location::Inline).unwrap();
        for change in &changes {
            index.try_submit(slot(), 1, change.clone()).unwrap();
        }
        let records = outcome(&changes);
        let index = index.with_effort(effort);
        for filter in &filters {
            let wanted = expected(&records, namespace(1), filter);
            let (mut listed, mut token) = (Vec::new(), Vec::new());
            loop {
                let page =
                    block_on(index.list(namespace(1), filter, page_size, &token)).unwrap();
                prop_assert!(page.records.len() == page_size || page.next_page_token.is_empty());
                listed.extend(page.records);
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(&listed, &wanted, "{}", filter);
            let count = block_on(index.count(namespace(1), filter)).unwrap();
            prop_assert_eq!(count, wanted.len() as u64, "{}", filter);
            for attribute in
                [SystemAttribute::ExecutionStatus, SystemAttribute::TemporalNamespaceDivision]
            {
                let groups =
                    block_on(index.count_by(namespace(1), filter, &attribute.into())).unwrap();
                prop_assert_eq!(groups, grouped(&wanted, attribute), "{}", filter);
            }
        }
    }

    #[test]
    fn law_a_sorted_list_is_in_its_order(
        changes in prop::collection::vec(changes(), 1..40),
        filter in filters(),
        order_by in prop_oneof![
            prop::collection::vec(sort_keys(), 2..4),
            prop::collection::vec(sort_keys(), 1),
            any::<bool>().prop_map(|descending| {
                vec![SortKey { attribute: SystemAttribute::StartTime.into(), descending }]
            }),
        ],
        page_size in 1_usize..6,
        effort in efforts(),
    ) {
        let index = Index::open(&Location::Inline).unwrap().with_effort(effort);
        for change in &changes {
            index.try_submit(slot(), 1, change.clone()).unwrap();
        }
        let mut wanted = expected(&outcome(&changes), namespace(1), &filter);
        wanted.sort_by(|left, right| compare(left, right, &order_by));
        let (mut listed, mut token) = (Vec::new(), Vec::new());
        loop {
            let page = index.list_sorted(namespace(1), &filter, &order_by, page_size, &token);
            let page = block_on(page).unwrap();
            prop_assert!(page.records.len() == page_size || page.next_page_token.is_empty());
            listed.extend(page.records);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&listed, &wanted, "{} {:?}", filter, order_by);
    }

    #[test]
    fn law_batches_leave_what_single_changes_leave(
        changes in prop::collection::vec(
            changes().prop_filter("in one namespace nothing else is reordered", |change| {
                !matches!(change, Change::DeleteNamespace(_))
            }),
            1..60,
        ),
    ) {
        let index = Index::open(&Location::Memory).unwrap();
        for change in &changes {
            index.try_submit(slot(), 1, change.clone()).unwrap();
        }
        // Without order between records of equal version, only the newest of a run is certain.
        let versions = |records: &[Record]| -> Vec<(RunId, u64)> {
            records.iter().map(|record| (record.run_id, record.version)).collect()
        };
        let all = parse(
            "TemporalNamespaceDivision IS NULL OR TemporalNamespaceDivision IS NOT NULL",
            &schema(),
            NOW,
        )
        .unwrap()
        .filter;
        let listed = block_on(async {
            index.wait_for(index.submitted()).await.unwrap();
            index.list(namespace(1), &all, 0, &[]).await.unwrap().records
        });
        let mut listed = versions(&listed);
        listed.sort_unstable();
        let mut wanted: Vec<(RunId, u64)> =
            versions(&expected(&outcome(&changes), namespace(1), &all));
        wanted.sort_unstable();
        prop_assert_eq!(listed, wanted);
    }
}

fn sort_keys() -> impl Strategy<Value = SortKey> {
    let system = SystemAttribute::ALL.iter().map(|attribute| Attribute::System(*attribute));
    let stored = support::CUSTOM.iter().filter(|(_, kind)| !kind.is_many());
    let stored =
        stored.map(|(name, kind)| Attribute::Stored { name: (*name).to_owned(), kind: *kind });
    let attributes: Vec<Attribute> = system.chain(stored).collect();
    (prop::sample::select(attributes), any::<bool>())
        .prop_map(|(attribute, descending)| SortKey { attribute, descending })
}

/// Nulls come last; among equals the run id decides, against the direction of the last key.
fn compare(left: &Record, right: &Record, order_by: &[SortKey]) -> Ordering {
    let mut last = false;
    for SortKey { attribute, descending } in order_by {
        let [one, other] = [left, right].map(|record| values(record, attribute).into_iter().next());
        let order = match (one, other) {
            (Some(one), Some(other)) => one.partial_cmp(&other).unwrap(),
            (one, other) => other.is_some().cmp(&one.is_some()).then(Ordering::Equal),
        };
        let nulls = [left, right].iter().any(|record| values(record, attribute).is_empty());
        let order = if *descending && !nulls { order.reverse() } else { order };
        if order.is_ne() {
            return order;
        }
        last = *descending;
    }
    let order = left.run_id.cmp(&right.run_id);
    if last { order } else { order.reverse() }
}

fn grouped(records: &[Record], attribute: SystemAttribute) -> Vec<(Value, u64)> {
    let mut groups: BTreeMap<String, (Value, u64)> = BTreeMap::new();
    for record in records {
        let value = if attribute == SystemAttribute::ExecutionStatus {
            Value::Int(record.status.into())
        } else {
            let division = record
                .search_attributes
                .get(NAMESPACE_DIVISION)
                .map_or_else(String::new, |payload| serde_json::from_slice(&payload.data).unwrap());
            Value::String(division)
        };
        groups.entry(value.to_string()).or_insert((value, 0)).1 += 1;
    }
    groups.into_values().collect()
}
