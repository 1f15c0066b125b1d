//! A filter that a store can run: names resolved, values typed, negations pushed to the leaves.

use std::fmt;

use crate::{Attribute, AttributeType, SystemAttribute, Value, status_name, token::is_bare_name};

/// A filter. There is no negation above the conditions: each condition has its own opposite, so a
/// store never meets SQL's third truth value above a leaf. A condition on a null attribute is
/// false, its opposite too, except where [`AttributeType::is_many`] says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// All of these hold; without members: everything matches.
    And(Vec<Predicate>),
    /// One of these holds; without members: nothing matches.
    Or(Vec<Predicate>),
    /// One attribute passes one test.
    Condition(Condition),
}

/// A test of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is tested.
    pub attribute: Attribute,
    /// How.
    pub test: Test,
}

/// How an attribute is tested. Values have the attribute's type; Int and Double also take each
/// other's. For Text the strings are phrases: words that follow one another.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Compares with one value.
    Compare(Comparison, Value),
    /// Is one of the values, or none of them.
    In {
        /// At least one value.
        values: Vec<Value>,
        /// None of them instead of one of them.
        negated: bool,
    },
    /// Lies in a closed range, or outside.
    Between {
        /// The lowest value inside.
        low: Value,
        /// The highest value inside.
        high: Value,
        /// Outside instead of inside.
        negated: bool,
    },
    /// Starts with a prefix, or does not.
    StartsWith {
        /// The prefix, case-sensitive.
        prefix: String,
        /// Does not instead of does.
        negated: bool,
    },
    /// Has a part, or has not: a Keyword somewhere, a KeywordList in one of its members.
    Contains {
        /// The part, case-sensitive.
        part: String,
        /// Has not instead of has.
        negated: bool,
    },
    /// Is null, or is not.
    Null {
        /// Is not null instead of is null.
        negated: bool,
    },
}

/// A comparison with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// As SQL spells it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparison that holds exactly when this one does not.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}

impl Test {
    /// The test that a non-null attribute passes exactly when it fails this one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Compare(comparison, value) => Self::Compare(comparison.opposite(), value),
            Self::In { values, negated } => Self::In { values, negated: !negated },
            Self::Between { low, high, negated } => Self::Between { low, high, negated: !negated },
            Self::StartsWith { prefix, negated } => Self::StartsWith { prefix, negated: !negated },
            Self::Contains { part, negated } => Self::Contains { part, negated: !negated },
            Self::Null { negated } => Self::Null { negated: !negated },
        }
    }
}

impl Default for Predicate {
    fn default() -> Self {
        Self::everything()
    }
}

impl Predicate {
    /// Matches every run.
    pub const fn everything() -> Self {
        Self::And(Vec::new())
    }

    /// True for a filter that can leave nothing out.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::And(members) if members.is_empty())
    }

    /// All of these; a conjunction within is merged.
    pub fn all(members: impl IntoIterator<Item = Self>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Self::And(inner) => inner,
            other => vec![other],
        });
        only_or(flat.collect(), Self::And)
    }

    /// All that has to hold, one by one. What [`Predicate::all`] and the parser make has no
    /// conjunction within another.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(members) => members,
            other => std::slice::from_ref(other),
        }
    }

    /// Any of these; a disjunction within is merged.
    pub fn any(members: impl IntoIterator<Item = Self>) -> Self {
        let flat = members.into_iter().flat_map(|member| match member {
            Self::Or(inner) => inner,
            other => vec![other],
        });
        only_or(flat.collect(), Self::Or)
    }

    /// The filter that SQL's `NOT` makes of this one.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::And(members) => Self::any(members.into_iter().map(Self::negated)),
            Self::Or(members) => Self::all(members.into_iter().map(Self::negated)),
            Self::Condition(Condition { attribute, test }) => {
                Self::Condition(Condition { attribute, test: test.opposite() })
            }
        }
    }

    /// Calls `visit` with each condition.
    pub fn for_each(&self, visit: &mut impl FnMut(&Condition)) {
        match self {
            Self::And(members) | Self::Or(members) => {
                for member in members {
                    member.for_each(visit);
                }
            }
            Self::Condition(condition) => visit(condition),
        }
    }

    /// True if a condition is about this attribute.
    pub fn mentions(&self, attribute: SystemAttribute) -> bool {
        let mut found = false;
        self.for_each(&mut |condition| {
            found |= condition.attribute == Attribute::System(attribute);
        });
        found
    }

    /// True if every condition is about one of these attributes.
    pub fn mentions_only(&self, attributes: &[SystemAttribute]) -> bool {
        let mut only = true;
        self.for_each(&mut |condition| {
            only &= matches!(&condition.attribute, Attribute::System(found) if attributes.contains(found));
        });
        only
    }
}

fn only_or(mut members: Vec<Predicate>, many: fn(Vec<Predicate>) -> Predicate) -> Predicate {
    match members.pop() {
        Some(only) if members.is_empty() => only,
        Some(last) => {
            members.push(last);
            many(members)
        }
        None => many(members),
    }
}

impl fmt::Display for Predicate {
    /// A query that parses to this predicate.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, word) = match self {
            Self::And(members) => (members, " AND "),
            Self::Or(members) => (members, " OR "),
            Self::Condition(condition) => return condition.fmt(formatter),
        };
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                formatter.write_str(word)?;
            }
            match member {
                Self::Condition(condition) => condition.fmt(formatter)?,
                inner => write!(formatter, "({inner})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.attribute.name();
        if name.split('.').all(is_bare_name) {
            formatter.write_str(name)?;
        } else {
            write!(formatter, "`{}`", name.replace('`', "``"))?;
        }
        let not = |negated: bool| if negated { " NOT" } else { "" };
        match &self.test {
            Test::Compare(comparison, value) => {
                write!(formatter, " {} {}", comparison.symbol(), self.show(value))
            }
            // A Text condition was written as one string.
            Test::In { values, negated } if self.attribute.kind() == AttributeType::Text => {
                let symbol = if *negated { "!=" } else { "=" };
                let phrases: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                write!(formatter, " {symbol} {}", Value::String(phrases.join(" ")))
            }
            Test::In { values, negated } => {
                let values: Vec<String> = values.iter().map(|value| self.show(value)).collect();
                write!(formatter, "{} IN ({})", not(*negated), values.join(", "))
            }
            Test::Between { low, high, negated } => write!(
                formatter,
                "{} BETWEEN {} AND {}",
                not(*negated),
                self.show(low),
                self.show(high)
            ),
            Test::StartsWith { prefix, negated } => {
                write!(formatter, "{} STARTS_WITH {}", not(*negated), Value::String(prefix.clone()))
            }
            Test::Contains { part, negated } => {
                write!(formatter, "{} CONTAINS {}", not(*negated), Value::String(part.clone()))
            }
            Test::Null { negated } => write!(formatter, " IS{} NULL", not(*negated)),
        }
    }
}

impl Condition {
    fn show(&self, value: &Value) -> String {
        let is_status = self.attribute == Attribute::System(SystemAttribute::ExecutionStatus);
        match value {
            Value::Int(number) if is_status => {
                status_name(*number).map_or_else(|| number.to_string(), |name| format!("'{name}'"))
            }
            other => other.to_string(),
        }
    }
}
