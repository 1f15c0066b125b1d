//! Days and times of day without zones.

use jiff::civil::Date;

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// A local time to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) date: Date,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

impl Civil {
    /// The time so many local seconds after the start of 1970.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "parts of a day are small and positive"
    )]
    pub(crate) fn from_seconds(seconds: i64) -> Option<Self> {
        let days = i32::try_from(seconds.div_euclid(SECONDS_PER_DAY)).ok()?;
        let date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?);
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        Some(Self {
            date: date.ok()?,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        })
    }

    /// Local seconds after the start of 1970.
    pub(crate) fn seconds(self) -> i64 {
        let days = (self.date.to_datetime(jiff::civil::Time::midnight()))
            .duration_since(Date::constant(1970, 1, 1).to_datetime(jiff::civil::Time::midnight()))
            .as_hours()
            / 24;
        days * SECONDS_PER_DAY
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
    }

    pub(crate) const fn midnight(date: Date) -> Self {
        Self { date, hour: 0, minute: 0, second: 0 }
    }
}
