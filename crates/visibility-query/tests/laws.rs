//! Laws of the query language.

use std::collections::BTreeMap;

use model::Time;
use proptest::prelude::*;
use visibility_query::{
    Attribute, AttributeType, Comparison, Condition, Predicate, Schema, SystemAttribute, Test,
    Value, parse,
};

const NOW: Time = Time::from_nanos(1_700_000_000_000_000_000);

const CUSTOM: [(&str, AttributeType); 7] = [
    ("Keyword", AttributeType::Keyword),
    ("List of keywords", AttributeType::KeywordList),
    ("Text", AttributeType::Text),
    ("and", AttributeType::Int),
    ("odd`name", AttributeType::Double),
    ("Bool", AttributeType::Bool),
    ("dotted.Time", AttributeType::Datetime),
];

fn schema() -> Schema {
    Schema::new(CUSTOM.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect())
}

fn attributes() -> impl Strategy<Value = Attribute> {
    let custom = prop::sample::select(CUSTOM.to_vec())
        .prop_map(|(name, kind)| Attribute::Stored { name: name.to_owned(), kind });
    let system = prop::sample::select(SystemAttribute::ALL.to_vec()).prop_map(Attribute::System);
    prop_oneof![custom, system]
}

fn values(attribute: &Attribute) -> BoxedStrategy<Value> {
    if *attribute == Attribute::System(SystemAttribute::ExecutionStatus) {
        return (0_i64..=8).prop_map(Value::Int).boxed();
    }
    let finite = any::<f64>().prop_filter("finite", |number| number.is_finite());
    match attribute.kind() {
        AttributeType::Keyword | AttributeType::KeywordList => {
            any::<String>().prop_map(Value::String).boxed()
        }
        AttributeType::Text => "[a-z0-9]{1,5}".prop_map(Value::String).boxed(),
        AttributeType::Int if *attribute == SystemAttribute::ExecutionDuration.into() => {
            any::<i64>().prop_map(Value::Int).boxed()
        }
        AttributeType::Int => {
            prop_oneof![any::<i64>().prop_map(Value::Int), finite.prop_map(Value::Double)].boxed()
        }
        AttributeType::Double => finite.prop_map(Value::Double).boxed(),
        AttributeType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        AttributeType::Datetime => {
            any::<i64>().prop_map(|nanos| Value::Time(Time::from_nanos(nanos))).boxed()
        }
    }
}

fn tests(attribute: &Attribute) -> BoxedStrategy<Test> {
    let value = || values(attribute);
    let many = prop::collection::vec(value(), 1..4);
    let null = any::<bool>().prop_map(|negated| Test::Null { negated });
    let comparisons = vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];
    let compare = |comparisons: Vec<Comparison>| {
        (prop::sample::select(comparisons), value())
            .prop_map(|(comparison, value)| Test::Compare(comparison, value))
    };
    let listed =
        (many.clone(), any::<bool>()).prop_map(|(values, negated)| Test::In { values, negated });
    let between = (value(), value(), any::<bool>())
        .prop_map(|(low, high, negated)| Test::Between { low, high, negated });
    let prefix = (any::<String>(), any::<bool>())
        .prop_map(|(prefix, negated)| Test::StartsWith { prefix, negated });
    let part = (any::<String>(), any::<bool>())
        .prop_map(|(part, negated)| Test::Contains { part, negated });
    let is_status = *attribute == Attribute::System(SystemAttribute::ExecutionStatus);
    match attribute.kind() {
        AttributeType::Text => {
            let phrases = prop::collection::vec("[a-z0-9]{1,5}(-[a-z0-9]{1,3})?", 1..4);
            let phrases = (phrases, any::<bool>()).prop_map(|(phrases, negated)| Test::In {
                values: phrases.into_iter().map(Value::String).collect(),
                negated,
            });
            prop_oneof![null, phrases].boxed()
        }
        AttributeType::KeywordList => {
            let equality = compare(vec![Comparison::Equal, Comparison::NotEqual]);
            prop_oneof![null, listed, equality, part].boxed()
        }
        AttributeType::Bool => prop_oneof![null, listed, compare(comparisons)].boxed(),
        AttributeType::Keyword if !is_status => {
            prop_oneof![null, listed, compare(comparisons), between, prefix, part].boxed()
        }
        _ => prop_oneof![null, listed, compare(comparisons), between].boxed(),
    }
}

fn predicates() -> impl Strategy<Value = Predicate> {
    let leaf = attributes()
        .prop_flat_map(|attribute| (Just(attribute.clone()), tests(&attribute)))
        .prop_map(|(attribute, test)| Predicate::Condition(Condition { attribute, test }));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = prop::collection::vec(inner, 2..4);
        prop_oneof![members.clone().prop_map(Predicate::all), members.prop_map(Predicate::any)]
    })
}

/// What a run may have of each attribute.
fn runs() -> impl Strategy<Value = BTreeMap<String, Vec<Value>>> {
    let attributes: Vec<Attribute> = CUSTOM
        .iter()
        .map(|(name, kind)| Attribute::Stored { name: (*name).to_owned(), kind: *kind })
        .chain(SystemAttribute::ALL.iter().map(|attribute| (*attribute).into()))
        .collect();
    attributes
        .into_iter()
        .map(|attribute| {
            let most = if attribute.kind().is_many() { 3 } else { 1 };
            let name = attribute.name().to_owned();
            prop::collection::vec(values(&attribute), 0..=most)
                .prop_map(move |values| (name.clone(), values))
        })
        .collect::<Vec<_>>()
        .prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn law_any_text_is_answered(text in any::<String>()) {
        let _answer = parse(&text, &schema(), NOW);
    }

    #[test]
    fn law_any_sequence_of_tokens_is_answered(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "and", "or", "not", "WorkflowId", "Keyword", "=", "!=", "in", "between",
                "is", "null", "'a'", "\"b\"", "5", "-", "1.5", "starts_with", "`and`", ",", "case",
                "end", "select", "exists", "group", "by", "order", "limit", ";", ".", "--", "/*",
                "*/", "'", "`", "\\", "é", "true", "!", "f(", "0x1", "now()", "1h", "contains", "having",
                "asc", "desc", "StartTime",
            ]),
            0..30,
        ),
    ) {
        let _answer = parse(&tokens.join(" "), &schema(), NOW);
        let _answer = parse(&tokens.concat(), &schema(), NOW);
    }

    #[test]
    fn law_a_predicate_is_what_its_text_reads_as(predicate in predicates()) {
        let text = predicate.to_string();
        let read = parse(&text, &schema(), NOW);
        prop_assert_eq!(read.map(|query| query.filter), Ok(predicate), "{}", text);
    }

    #[test]
    fn law_a_double_negation_changes_nothing(predicate in predicates()) {
        prop_assert_eq!(predicate.clone().negated().negated(), predicate);
    }

    #[test]
    fn law_a_run_never_matches_both_a_filter_and_its_opposite(
        predicate in predicates(),
        run in runs(),
    ) {
        let values = |attribute: &Attribute| {
            run.get(attribute.name()).cloned().unwrap_or_default()
        };
        let opposite = predicate.clone().negated();
        prop_assert!(!(predicate.matches(&values) && opposite.matches(&values)));
        // Without nulls one of the two holds.
        let mut nulls = false;
        predicate.for_each(&mut |condition| {
            nulls |= values(&condition.attribute).is_empty()
                && !matches!(condition.test, Test::Null { .. });
        });
        prop_assert!(nulls || predicate.matches(&values) || opposite.matches(&values));
    }
}

#[test]
fn long_and_deep_queries_are_answered_on_a_small_stack() {
    let check = || {
        let schema = schema();
        let chain = vec!["WorkflowId = 'w'"; 50_000].join(" or ");
        assert!(parse(&chain, &schema, NOW).is_ok());
        for nested in ["(", "not ", "- ", "! ", "case ", "f(", "(select ", "binary "] {
            assert!(parse(&nested.repeat(50_000), &schema, NOW).is_err(), "{nested}");
        }
        let depth = 45;
        let nested = format!("{}WorkflowId = 'w'{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested, &schema, NOW).is_ok());
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(check).unwrap();
    thread.join().unwrap();
}
