//! What a predicate means, without a store: the reading that every store must agree with.

use crate::{Attribute, AttributeType, Comparison, Condition, Predicate, Test, Value, words};

impl Predicate {
    /// Whether a run matches. `values` yields what the run has of an attribute: nothing when it is
    /// null, the members of a KeywordList, else one value.
    pub fn matches(&self, values: &impl Fn(&Attribute) -> Vec<Value>) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.matches(values)),
            Self::Or(members) => members.iter().any(|member| member.matches(values)),
            Self::Condition(condition) => condition.matches(&values(&condition.attribute)),
        }
    }
}

impl Condition {
    fn matches(&self, values: &[Value]) -> bool {
        let kind = self.attribute.kind();
        let one = |test: &dyn Fn(&Value) -> bool, negated: bool| {
            if kind.is_many() {
                values.iter().any(test) != negated
            } else {
                values.first().is_some_and(|value| test(value) != negated)
            }
        };
        match &self.test {
            Test::Compare(Comparison::NotEqual, wanted) => {
                one(&|value| value.holds(Comparison::Equal, wanted), true)
            }
            Test::Compare(comparison, wanted) => {
                one(&|value| value.holds(*comparison, wanted), false)
            }
            Test::In { values: wanted, negated } if kind == AttributeType::Text => one(
                &|value| {
                    let found: Vec<String> = value.as_str().into_iter().flat_map(words).collect();
                    wanted.iter().filter_map(Value::as_str).any(|phrase| has_phrase(&found, phrase))
                },
                *negated,
            ),
            Test::In { values: wanted, negated } => one(
                &|value| wanted.iter().any(|wanted| value.holds(Comparison::Equal, wanted)),
                *negated,
            ),
            Test::Between { low, high, negated } => one(
                &|value| {
                    value.holds(Comparison::GreaterOrEqual, low)
                        && value.holds(Comparison::LessOrEqual, high)
                },
                *negated,
            ),
            Test::StartsWith { prefix, negated } => one(
                &|value| value.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
                *negated,
            ),
            Test::Contains { part, negated } => one(
                &|value| value.as_str().is_some_and(|text| text.contains(part.as_str())),
                *negated,
            ),
            Test::Null { negated } => values.is_empty() != *negated,
        }
    }
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Int(_) | Self::Double(_) | Self::Bool(_) | Self::Time(_) => None,
        }
    }

    /// Whether this value stands in a relation to another; never across types, except that
    /// integers and doubles compare as numbers.
    pub fn holds(&self, comparison: Comparison, other: &Self) -> bool {
        let order = match (self, other) {
            (Self::Int(left), Self::Double(right)) => compare_numbers(*left, *right),
            (Self::Double(left), Self::Int(right)) => {
                compare_numbers(*right, *left).map(std::cmp::Ordering::reverse)
            }
            (left, right) => left
                .partial_cmp(right)
                .filter(|_| std::mem::discriminant(left) == std::mem::discriminant(right)),
        };
        order.is_some_and(|order| match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// Whether the words of a phrase follow one another in a text. A phrase without words is nowhere.
fn has_phrase(text: &[String], phrase: &str) -> bool {
    let phrase: Vec<String> = words(phrase).collect();
    !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase)
}

/// Exact, also where an integer has more digits than a double holds.
#[expect(clippy::cast_possible_truncation, reason = "checked to be inside the range first")]
fn compare_numbers(left: i64, right: f64) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering;
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if right.is_nan() {
        return None;
    }
    if right >= LIMIT {
        return Some(Ordering::Less);
    }
    if right < -LIMIT {
        return Some(Ordering::Greater);
    }
    let whole = right.trunc();
    Some(left.cmp(&(whole as i64)).then(0.0.partial_cmp(&(right - whole))?))
}
