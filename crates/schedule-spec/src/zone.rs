//! Time zones: by name, from the database that is part of the program, or by data.

use std::sync::OnceLock;

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::SpecError;

/// The zones that are part of the program, read once.
static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();

/// A time zone.
#[derive(Debug, Clone)]
pub(crate) struct Zone(TimeZone);

/// A stretch of time in which a zone does not change its offset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Seconds that local time is ahead.
    pub(crate) offset: i64,
    /// Where the next one begins, in seconds since the epoch.
    pub(crate) end: i64,
}

impl Zone {
    pub(crate) fn named(name: &str) -> Result<Self, SpecError> {
        if name.is_empty() || name == "UTC" || name == "Local" {
            return Ok(Self(TimeZone::UTC));
        }
        let found = ZONES.get_or_init(TimeZoneDatabase::bundled).get(name).ok();
        // Names are matched as they are written.
        found
            .filter(|zone| zone.iana_name() == Some(name))
            .map(Self)
            .ok_or_else(|| SpecError::new(format!("unknown time zone {name}")))
    }

    /// Reads the content of a zone file.
    pub(crate) fn from_data(name: &str, data: &[u8]) -> Result<Self, SpecError> {
        TimeZone::tzif(name, data)
            .map(Self)
            .map_err(|_| SpecError::new("malformed time zone information"))
    }

    /// The stretch that holds a time.
    pub(crate) fn stretch(&self, seconds: i64) -> Stretch {
        let Ok(timestamp) = Timestamp::from_second(seconds) else {
            return Stretch { offset: 0, end: i64::MAX };
        };
        let next = self.0.following(timestamp).next();
        Stretch {
            offset: self.0.to_offset(timestamp).seconds().into(),
            end: next.map_or(i64::MAX, |next| next.timestamp().as_second()),
        }
    }
}
