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

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map(Shown::shown).unwrap_or_default()
    }
}
