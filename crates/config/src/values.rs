//! Values with a form of their own.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

/// A length of time such as `3d` or `12h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(pub Duration);

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(|error| {
            D::Error::custom(format!("`{text}` is no length of time such as `3d`: {error}"))
        })
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(formatter)
    }
}

/// A value as the list of settings shows it.
pub(crate) trait Shown {
    /// As YAML; empty when there is none.
    fn shown(&self) -> String;
}

macro_rules! shown_by_display {
    ($($kind:ty),*) => {
        $(impl Shown for $kind {
            fn shown(&self) -> String {
                self.to_string()
            }
        })*
    };
}

shown_by_display!(u64, bool, String, Retention);

impl Shown for Vec<String> {
    fn shown(&self) -> String {
        format!("[{}]", self.join(", "))
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map(Shown::shown).unwrap_or_default()
    }
}

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "nothing" } else { "a secret" })
    }
}

/// A value, or the default for a key without one: templates write such keys.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list of texts; items without a value are left out, as the reference does.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let items: Option<Vec<Option<String>>> = Option::deserialize(deserializer)?;
    Ok(items.unwrap_or_default().into_iter().flatten().collect())
}

/// A length of time as the reference writes it, such as `1m30s`.
pub(crate) fn length_of_time<'de, D>(deserializer: D) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(optional_length_of_time(deserializer)?.unwrap_or_default())
}

/// The same, when it is there.
pub(crate) fn optional_length_of_time<'de, D>(deserializer: D) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Nanoseconds(u64),
    }
    Option::<Written>::deserialize(deserializer)?
        .map(|written| match written {
            Written::Text(text) => go_duration(&text).map_err(D::Error::custom),
            Written::Nanoseconds(number) => Ok(Duration::from_nanos(number)),
        })
        .transpose()
}

/// Reads a length of time as the reference writes it.
pub(crate) fn go_duration(text: &str) -> Result<Duration, String> {
    if ["", "0"].contains(&text) {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no length of time such as `1m30s`: {error}"))
}
