//! Gives an expression names and types.

use model::Time;

use crate::{
    Attribute, AttributeType, Comparison, Condition, Predicate, QueryError, Schema,
    SystemAttribute, Test, Value,
    expression::{Expression, FUNCTION, Operator},
    parse_datetime, status_name, status_number,
    value::{go_float, parse_duration},
};

/// What an expression is read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) schema: &'a Schema,
    /// What `now()` is.
    pub(crate) now: Time,
}

/// The predicate that an expression means.
pub(crate) fn predicate(expression: Expression, scope: Scope<'_>) -> Result<Predicate, QueryError> {
    match expression {
        Expression::And(members) => Ok(Predicate::all(predicates(members, scope)?)),
        Expression::Or(members) => Ok(Predicate::any(predicates(members, scope)?)),
        Expression::Not(inner) => Ok(predicate(*inner, scope)?.negated()),
        Expression::Parentheses(inner) => predicate(*inner, scope),
        Expression::Comparison { left, operator, right } => {
            let attribute = column(&left, scope.schema)?;
            comparison(attribute, operator, *right, scope.now)
        }
        Expression::Between { left, low, high, negated } => {
            let attribute = column(&left, scope.schema)?;
            between(attribute, [*low, *high], negated, scope.now)
        }
        Expression::Is { left, what, negated } => {
            let attribute = column(&left, scope.schema)?;
            if what != "null" {
                return invalid(
                    "'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'".to_owned(),
                );
            }
            Ok(condition(attribute, Test::Null { negated }))
        }
        Expression::Name(_) => invalid("incomplete expression".to_owned()),
        Expression::Foreign(FUNCTION) | Expression::Now(_) => {
            unsupported("function expression".to_owned())
        }
        other => unsupported(format!("expression of type {}", other.reference_type())),
    }
}

/// The attribute that an expression names.
pub(crate) fn column(expression: &Expression, schema: &Schema) -> Result<Attribute, QueryError> {
    let Expression::Name(name) = expression else {
        return invalid(format!("must be a column name but was {}", expression.reference_type()));
    };
    schema.resolve(name).ok_or_else(|| QueryError::UnknownAttribute(name.clone()))
}

fn predicates(members: Vec<Expression>, scope: Scope<'_>) -> Result<Vec<Predicate>, QueryError> {
    members.into_iter().map(|member| predicate(member, scope)).collect()
}

fn condition(attribute: Attribute, test: Test) -> Predicate {
    Predicate::Condition(Condition { attribute, test })
}

fn comparison(
    attribute: Attribute,
    operator: Operator,
    right: Expression,
    now: Time,
) -> Result<Predicate, QueryError> {
    let kind = attribute.kind();
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let values = match right {
        Expression::List(items) if is_list => items
            .into_iter()
            .map(|item| value(&attribute, item, now))
            .collect::<Result<Vec<_>, _>>()?,
        other => vec![value(&attribute, other, now)?],
    };
    check_operator(&attribute, operator)?;
    if kind == AttributeType::Text {
        return text_condition(attribute, operator, values);
    }
    if is_list {
        let negated = operator == Operator::NotIn;
        return Ok(condition(attribute, Test::In { values, negated }));
    }
    let Some(value) = values.into_iter().next() else {
        return invalid("incomplete expression".to_owned());
    };
    let test = match (operator, value) {
        (Operator::StartsWith, Value::String(prefix)) => {
            Test::StartsWith { prefix, negated: false }
        }
        (Operator::NotStartsWith, Value::String(prefix)) => {
            Test::StartsWith { prefix, negated: true }
        }
        (Operator::StartsWith | Operator::NotStartsWith, Value::Int(number)) => {
            return invalid(format!(
                "right-hand side of \"{}\" operator must be a literal string (got: {})",
                operator.name().to_lowercase(),
                status_name(number).unwrap_or_default()
            ));
        }
        (Operator::Contains, Value::String(part)) => Test::Contains { part, negated: false },
        (Operator::NotContains, Value::String(part)) => Test::Contains { part, negated: true },
        (operator, value) => match as_comparison(operator) {
            Some(comparison) => Test::Compare(comparison, value),
            None => return Err(not_supported(&attribute, operator)),
        },
    };
    Ok(condition(attribute, test))
}

/// `=` and `!=` on Text: whether one of the phrases occurs, which blanks separate.
fn text_condition(
    attribute: Attribute,
    operator: Operator,
    values: Vec<Value>,
) -> Result<Predicate, QueryError> {
    let phrases = values.iter().filter_map(Value::as_str).flat_map(str::split_whitespace);
    let values: Vec<Value> = phrases.map(|phrase| Value::String(phrase.to_owned())).collect();
    if values.is_empty() {
        return invalid(format!(
            "no tokens found filtering on Text type search attribute {}",
            attribute.name()
        ));
    }
    let negated = operator == Operator::NotEqual;
    Ok(condition(attribute, Test::In { values, negated }))
}

fn between(
    attribute: Attribute,
    [low, high]: [Expression; 2],
    negated: bool,
    now: Time,
) -> Result<Predicate, QueryError> {
    let low = value(&attribute, low, now)?;
    let high = value(&attribute, high, now)?;
    let kind = attribute.kind();
    if kind.is_many() || kind == AttributeType::Bool {
        return invalid(format!(
            "cannot do range condition on search attribute '{}' of type {kind}",
            attribute.name()
        ));
    }
    Ok(condition(attribute, Test::Between { low, high, negated }))
}

const fn as_comparison(operator: Operator) -> Option<Comparison> {
    match operator {
        Operator::Equal => Some(Comparison::Equal),
        Operator::NotEqual => Some(Comparison::NotEqual),
        Operator::Less => Some(Comparison::Less),
        Operator::LessOrEqual => Some(Comparison::LessOrEqual),
        Operator::Greater => Some(Comparison::Greater),
        Operator::GreaterOrEqual => Some(Comparison::GreaterOrEqual),
        Operator::NullSafeEqual
        | Operator::In
        | Operator::NotIn
        | Operator::Like
        | Operator::NotLike
        | Operator::Regexp
        | Operator::NotRegexp
        | Operator::StartsWith
        | Operator::NotStartsWith
        | Operator::Contains
        | Operator::NotContains => None,
    }
}

fn check_operator(attribute: &Attribute, operator: Operator) -> Result<(), QueryError> {
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let is_prefix = matches!(operator, Operator::StartsWith | Operator::NotStartsWith);
    let is_part = matches!(operator, Operator::Contains | Operator::NotContains);
    let is_status = *attribute == Attribute::System(SystemAttribute::ExecutionStatus);
    let supported = match attribute.kind() {
        AttributeType::Text => is_equality,
        AttributeType::KeywordList => is_equality || is_list || is_part,
        AttributeType::Keyword if is_part => !is_status,
        AttributeType::Keyword if is_prefix => true,
        AttributeType::Keyword
        | AttributeType::Int
        | AttributeType::Double
        | AttributeType::Bool
        | AttributeType::Datetime => is_list || as_comparison(operator).is_some(),
    };
    if supported { Ok(()) } else { Err(not_supported(attribute, operator)) }
}

fn not_supported(attribute: &Attribute, operator: Operator) -> QueryError {
    QueryError::Unsupported(format!(
        "operator '{}' not supported for {} type search attribute '{}'",
        operator.name(),
        attribute.kind(),
        attribute.name()
    ))
}

/// A literal as written, before it has the attribute's type.
enum Literal {
    String(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Literal {
    /// What the reference calls its type.
    const fn go_type(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Bool(_) => "bool",
        }
    }
}

fn value(attribute: &Attribute, expression: Expression, now: Time) -> Result<Value, QueryError> {
    let literal = match expression {
        Expression::Now(terms) if attribute.kind() == AttributeType::Datetime => {
            return moment(now, &terms).map(Value::Time);
        }
        other => literal(other)?,
    };
    match attribute {
        // As for any other attribute of its type.
        Attribute::System(
            SystemAttribute::ExecutionStatus | SystemAttribute::ExecutionDuration,
        ) if matches!(literal, Literal::Bool(_)) => typed_value(attribute, literal),
        Attribute::System(SystemAttribute::ExecutionStatus) => status_value(literal),
        Attribute::System(SystemAttribute::ExecutionDuration) => duration_value(literal),
        _ => typed_value(attribute, literal),
    }
}

fn literal(expression: Expression) -> Result<Literal, QueryError> {
    match expression {
        Expression::String(text) => Ok(Literal::String(text)),
        Expression::Bool(value) => Ok(Literal::Bool(value)),
        Expression::Int(text) => match text.parse() {
            Ok(number) => Ok(Literal::Int(number)),
            Err(_) => float(&text),
        },
        Expression::Float(text) => float(&text),
        Expression::OtherLiteral(text) => invalid(format!("unable to parse value \"{text}\"")),
        Expression::Name(name) => unsupported(format!(
            "column name on the right side of comparison expression \
             (did you forget to quote \"{name}\"?)"
        )),
        Expression::Foreign(FUNCTION) | Expression::Now(_) => unsupported("nested func".to_owned()),
        other => invalid(format!("unexpected value type {}", other.reference_type())),
    }
}

/// `now()` with its durations.
fn moment(now: Time, terms: &[(bool, String)]) -> Result<Time, QueryError> {
    let mut nanos = now.nanos();
    for (minus, text) in terms {
        let Some(span) = parse_duration(text) else {
            return invalid(format!("invalid duration '{text}' after now()"));
        };
        nanos = if *minus { nanos.saturating_sub(span) } else { nanos.saturating_add(span) };
    }
    Ok(Time::from_nanos(nanos))
}

fn float(text: &str) -> Result<Literal, QueryError> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Literal::Float(number)),
        _ => invalid(format!("unable to parse value \"{text}\"")),
    }
}

fn status_value(literal: Literal) -> Result<Value, QueryError> {
    let (number, shown) = match literal {
        Literal::Int(number) => {
            (status_name(number).is_some().then_some(number), number.to_string())
        }
        Literal::String(name) => (status_number(&name), format!("'{name}'")),
        Literal::Float(_) | Literal::Bool(_) => {
            return unexpected_type(SystemAttribute::ExecutionStatus, &literal);
        }
    };
    match number {
        Some(number) => Ok(Value::Int(number)),
        None => invalid(format!("invalid ExecutionStatus value {shown}")),
    }
}

fn duration_value(literal: Literal) -> Result<Value, QueryError> {
    let name = SystemAttribute::ExecutionDuration.name();
    match literal {
        Literal::Int(nanos) => Ok(Value::Int(nanos)),
        Literal::String(text) => match parse_duration(&text) {
            Some(nanos) => Ok(Value::Int(nanos)),
            None => invalid(format!("invalid duration value for search attribute {name}: {text}")),
        },
        Literal::Float(_) | Literal::Bool(_) => {
            unexpected_type(SystemAttribute::ExecutionDuration, &literal)
        }
    }
}

fn unexpected_type<T>(attribute: SystemAttribute, literal: &Literal) -> Result<T, QueryError> {
    invalid(format!(
        "unexpected value type {} for search attribute {}",
        literal.go_type(),
        attribute.name()
    ))
}

fn typed_value(attribute: &Attribute, literal: Literal) -> Result<Value, QueryError> {
    let value = match (attribute.kind(), literal) {
        (
            AttributeType::Keyword | AttributeType::KeywordList | AttributeType::Text,
            Literal::String(text),
        ) => Value::String(text),
        (AttributeType::Datetime, Literal::String(text)) => match parse_datetime(&text) {
            Some(time) => Value::Time(time),
            None => return invalid(format!("unable to parse datetime '{text}'")),
        },
        (AttributeType::Datetime, Literal::Int(nanos)) => Value::Time(Time::from_nanos(nanos)),
        (AttributeType::Int, Literal::Int(number)) => Value::Int(number),
        #[expect(clippy::cast_precision_loss, reason = "a Double holds what a double can")]
        (AttributeType::Double, Literal::Int(number)) => Value::Double(number as f64),
        (AttributeType::Int | AttributeType::Double, Literal::Float(number)) => {
            Value::Double(number)
        }
        (AttributeType::Bool, Literal::Bool(value)) => Value::Bool(value),
        (kind, literal) => {
            let go_type = literal.go_type();
            let shown = match literal {
                Literal::String(text) => format!("{text:?}"),
                Literal::Int(number) => number.to_string(),
                Literal::Float(number) => go_float(number),
                Literal::Bool(value) => value.to_string(),
            };
            return invalid(format!(
                "invalid value type for search attribute {} of type {kind}: \
                 {shown} (type: {go_type})",
                attribute.name()
            ));
        }
    };
    Ok(value)
}

fn invalid<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::Expression(text))
}

fn unsupported<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::Unsupported(text))
}
