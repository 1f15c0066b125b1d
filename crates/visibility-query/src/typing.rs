//! Gives an expression names and types.

use crate::{
    Attribute, AttributeType, Comparison, Condition, Predicate, QueryError, Schema,
    SystemAttribute, Test, Value,
    expression::{Expression, FUNCTION, Operator},
    parse_datetime, status_name, status_number,
    value::parse_duration,
    words,
};

/// The predicate that an expression means.
pub(crate) fn predicate(expression: Expression, schema: &Schema) -> Result<Predicate, QueryError> {
    match expression {
        Expression::And(members) => Ok(Predicate::all(predicates(members, schema)?)),
        Expression::Or(members) => Ok(Predicate::any(predicates(members, schema)?)),
        Expression::Not(inner) => Ok(predicate(*inner, schema)?.negated()),
        Expression::Parentheses(inner) => predicate(*inner, schema),
        Expression::Comparison { left, operator, right } => {
            let attribute = column(&left, schema)?;
            comparison(attribute, operator, *right)
        }
        Expression::Between { left, low, high, negated } => {
            let attribute = column(&left, schema)?;
            between(attribute, *low, *high, negated)
        }
        Expression::Is { left, what, negated } => {
            let attribute = column(&left, schema)?;
            if what != "null" {
                return invalid(
                    "'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'".to_owned(),
                );
            }
            Ok(condition(attribute, Test::Null { negated }))
        }
        Expression::Name(_) => invalid("incomplete expression".to_owned()),
        Expression::Foreign(FUNCTION) => unsupported("nested func".to_owned()),
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

fn predicates(members: Vec<Expression>, schema: &Schema) -> Result<Vec<Predicate>, QueryError> {
    members.into_iter().map(|member| predicate(member, schema)).collect()
}

fn condition(attribute: Attribute, test: Test) -> Predicate {
    Predicate::Condition(Condition { attribute, test })
}

fn comparison(
    attribute: Attribute,
    operator: Operator,
    right: Expression,
) -> Result<Predicate, QueryError> {
    let kind = attribute.kind();
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let values = match right {
        Expression::List(items) if is_list => {
            items.into_iter().map(|item| value(&attribute, item)).collect::<Result<Vec<_>, _>>()?
        }
        other => vec![value(&attribute, other)?],
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
        (operator, value) => match as_comparison(operator) {
            Some(comparison) => Test::Compare(comparison, value),
            None => return Err(not_supported(&attribute, operator)),
        },
    };
    Ok(condition(attribute, test))
}

/// `=` and `!=` on Text: whether one of the words occurs.
fn text_condition(
    attribute: Attribute,
    operator: Operator,
    values: Vec<Value>,
) -> Result<Predicate, QueryError> {
    let mut found: Vec<String> = values.iter().filter_map(Value::as_str).flat_map(words).collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return invalid(format!(
            "no tokens found filtering on Text type search attribute {}",
            attribute.name()
        ));
    }
    let values = found.into_iter().map(Value::String).collect();
    let negated = operator == Operator::NotEqual;
    Ok(condition(attribute, Test::In { values, negated }))
}

fn between(
    attribute: Attribute,
    low: Expression,
    high: Expression,
    negated: bool,
) -> Result<Predicate, QueryError> {
    let low = value(&attribute, low)?;
    let high = value(&attribute, high)?;
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
        | Operator::NotStartsWith => None,
    }
}

fn check_operator(attribute: &Attribute, operator: Operator) -> Result<(), QueryError> {
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let is_list = matches!(operator, Operator::In | Operator::NotIn);
    let is_prefix = matches!(operator, Operator::StartsWith | Operator::NotStartsWith);
    let is_status = *attribute == Attribute::System(SystemAttribute::ExecutionStatus);
    let supported = match attribute.kind() {
        AttributeType::Text => is_equality,
        AttributeType::KeywordList => is_equality || is_list,
        AttributeType::Keyword if is_prefix => !is_status,
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

fn value(attribute: &Attribute, expression: Expression) -> Result<Value, QueryError> {
    let literal = literal(expression)?;
    match attribute {
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
        Expression::Foreign(FUNCTION) => unsupported("nested func".to_owned()),
        other => invalid(format!("unexpected value type {}", other.reference_type())),
    }
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
        Literal::Float(number) => (None, number.to_string()),
        Literal::Bool(value) => (None, value.to_string()),
    };
    match number {
        Some(number) => Ok(Value::Int(number)),
        None => invalid(format!("invalid ExecutionStatus value {shown}")),
    }
}

fn duration_value(literal: Literal) -> Result<Value, QueryError> {
    let name = SystemAttribute::ExecutionDuration.name();
    let kind = match literal {
        Literal::Int(nanos) => return Ok(Value::Int(nanos)),
        Literal::String(text) => {
            return match parse_duration(&text) {
                Some(nanos) => Ok(Value::Int(nanos)),
                None => {
                    invalid(format!("invalid duration value for search attribute {name}: {text}"))
                }
            };
        }
        Literal::Float(_) => "float64",
        Literal::Bool(_) => "bool",
    };
    invalid(format!("unexpected value type {kind} for search attribute {name}"))
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
        (AttributeType::Datetime, Literal::Int(nanos)) => {
            Value::Time(model::Time::from_nanos(nanos))
        }
        (AttributeType::Int, Literal::Int(number)) => Value::Int(number),
        #[expect(clippy::cast_precision_loss, reason = "a Double holds what a double can")]
        (AttributeType::Double, Literal::Int(number)) => Value::Double(number as f64),
        (AttributeType::Int | AttributeType::Double, Literal::Float(number)) => {
            Value::Double(number)
        }
        (AttributeType::Bool, Literal::Bool(value)) => Value::Bool(value),
        (kind, literal) => {
            let (shown, go_type) = match literal {
                Literal::String(text) => (format!("{text:?}"), "string"),
                Literal::Int(number) => (number.to_string(), "int64"),
                Literal::Float(number) => (number.to_string(), "float64"),
                Literal::Bool(value) => (value.to_string(), "bool"),
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
