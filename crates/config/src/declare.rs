//! How a setting is declared.

use std::ops::RangeInclusive;

/// What is known of a setting besides its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its place in the file, such as `limits.long_polls`.
    pub name: String,
    /// What it means.
    pub doc: &'static str,
    /// The unit of its value.
    pub unit: &'static str,
    /// The value that it has when the file says nothing, as YAML; empty for a required one.
    pub default: String,
    /// Smallest and largest value, for numbers.
    pub range: Option<RangeInclusive<u64>>,
}

/// Declares a section: a struct that reads from YAML, with the defaults and the description of
/// every field.
macro_rules! section {
    ($(#[$doc:meta])* $section:ident {
        $($(#[doc = $field_doc:literal])+ $field:ident: $kind:ty = $default:expr, $unit:literal
          $(, $low:literal..=$high:literal)?;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $section {
            $($(#[doc = $field_doc])+ pub $field: $kind,)*
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $section {
            /// Every setting of the section; names start with `prefix`.
            pub(crate) fn describe(prefix: &str) -> Vec<$crate::Setting> {
                let defaults = Self::default();
                vec![$($crate::Setting {
                    name: format!("{prefix}{}", stringify!($field)),
                    doc: concat!($($field_doc),+).trim(),
                    unit: $unit,
                    default: $crate::values::Shown::shown(&defaults.$field),
                    range: $crate::declare::section!(@range $($low..=$high)?),
                },)*]
            }

            /// Notes every number that is out of its range.
            pub(crate) fn check(&self, prefix: &str, problems: &mut Vec<String>) {
                let _ = (&self, &prefix, &problems);
                $($crate::declare::section!(@check self, prefix, problems, $field $(, $low..=$high)?);)*
            }
        }
    };
    (@range) => { None };
    (@range $low:literal..=$high:literal) => { Some($low..=$high) };
    (@check $this:ident, $prefix:ident, $problems:ident, $field:ident) => {};
    (@check $this:ident, $prefix:ident, $problems:ident, $field:ident, $low:literal..=$high:literal) => {
        $crate::check::range(
            &format!("{}{}", $prefix, stringify!($field)),
            $this.$field,
            $low..=$high,
            $problems,
        );
    };
}

pub(crate) use section;
