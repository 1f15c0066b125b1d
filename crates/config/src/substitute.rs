//! `${NAME}` in texts.

use serde_norway::Value;

use crate::ConfigError;

/// Replaces variables in every text of a document. A text that is one variable takes the type of
/// the variable's value, so that numbers can come from the environment; `$$` is a dollar sign.
pub(crate) fn substitute(
    value: Value,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Value, ConfigError> {
    match value {
        Value::String(text) => substitute_text(&text, lookup),
        Value::Sequence(items) => {
            let items = items.into_iter().map(|item| substitute(item, lookup));
            Ok(Value::Sequence(items.collect::<Result<_, _>>()?))
        }
        Value::Mapping(entries) => {
            let entries =
                entries.into_iter().map(|(key, value)| Ok((key, substitute(value, lookup)?)));
            Ok(Value::Mapping(entries.collect::<Result<_, ConfigError>>()?))
        }
        other => Ok(other),
    }
}

fn substitute_text(
    text: &str,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Value, ConfigError> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut variables = 0;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let (name, after) =
                after.split_once('}').ok_or_else(|| ConfigError::Unterminated(text.to_owned()))?;
            let value =
                lookup(name).ok_or_else(|| ConfigError::UnknownVariable(name.to_owned()))?;
            result.push_str(&value);
            variables += 1;
            rest = after;
        } else {
            result.push('$');
            rest = after;
        }
    }
    result.push_str(rest);
    let is_one_variable = variables == 1
        && text.starts_with("${")
        && text.find('}').is_some_and(|end| end + 1 == text.len());
    if is_one_variable
        && let Ok(typed @ (Value::Bool(_) | Value::Number(_))) = serde_norway::from_str(&result)
    {
        return Ok(typed);
    }
    Ok(Value::String(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn substituted(text: &str) -> Result<Value, ConfigError> {
        let lookup = |name: &str| match name {
            "HOST" => Some("10.0.0.1".to_owned()),
            "COUNT" => Some("7".to_owned()),
            _ => None,
        };
        substitute(Value::String(text.to_owned()), &lookup)
    }

    #[test]
    fn variables_stand_for_their_values() {
        assert_eq!(substituted("${HOST}:7233").unwrap(), Value::from("10.0.0.1:7233"));
        assert_eq!(substituted("${COUNT}").unwrap(), Value::from(7));
        assert_eq!(substituted("n${COUNT}").unwrap(), Value::from("n7"));
        assert_eq!(substituted("$$ and $${HOST} $5").unwrap(), Value::from("$ and ${HOST} $5"));
    }

    #[test]
    fn a_variable_that_is_not_set_is_an_error() {
        assert!(
            matches!(substituted("${NO}"), Err(ConfigError::UnknownVariable(name)) if name == "NO")
        );
        assert!(matches!(substituted("${HOST"), Err(ConfigError::Unterminated(_))));
    }
}
