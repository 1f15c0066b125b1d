//! One calendar: the times whose local year, month, day and time of day are all among those it
//! names.

use std::collections::BTreeSet;

use api::schedule::v1::{Range, StructuredCalendarSpec};
use jiff::civil::Date;

use crate::{civil::Civil, zone::Zone};

/// The last year that calendars reach.
pub(crate) const YEAR_MAX: i16 = 2100;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// Empty: every year.
    years: BTreeSet<i16>,
    months: Bits,
    days: Bits,
    /// 0 is Sunday.
    weekdays: Bits,
    hours: Bits,
    minutes: Bits,
    seconds: Bits,
}

/// A set of numbers below 64.
#[derive(Debug, Clone, Copy)]
struct Bits(u64);

impl Bits {
    fn of(ranges: &[Range]) -> Self {
        let mut bits = 0;
        for value in ranges.iter().flat_map(|range| values(range, 63)) {
            bits |= 1_u64.checked_shl(value).unwrap_or(0);
        }
        Self(bits)
    }

    const fn has(self, value: u8) -> bool {
        self.0 & (1 << (value & 63)) != 0
    }

    /// The least member that is not less than `from`.
    #[expect(clippy::cast_possible_truncation, reason = "at most 63")]
    const fn at_least(self, from: u8) -> Option<u8> {
        if from > 63 {
            return None;
        }
        let rest = self.0 >> from;
        if rest == 0 { None } else { Some(from + rest.trailing_zeros() as u8) }
    }
}

/// What a range stands for, up to a greatest value. Exclusions are not checked: what no time has
/// excludes nothing.
fn values(range: &Range, most: u32) -> impl Iterator<Item = u32> {
    let step = u32::try_from(range.step.max(1)).unwrap_or(1);
    let end = u32::try_from(range.end.max(range.start)).unwrap_or(0).min(most);
    let start = u32::try_from(range.start).unwrap_or(u32::MAX);
    (start..=end).step_by(step as usize)
}

fn years(range: &Range) -> impl Iterator<Item = i16> {
    values(range, YEAR_MAX.unsigned_abs().into()).filter_map(|year| i16::try_from(year).ok())
}

impl Calendar {
    pub(crate) fn new(spec: &StructuredCalendarSpec) -> Self {
        Self {
            years: spec.year.iter().flat_map(years).collect(),
            months: Bits::of(&spec.month),
            days: Bits::of(&spec.day_of_month),
            weekdays: Bits::of(&spec.day_of_week),
            hours: Bits::of(&spec.hour),
            minutes: Bits::of(&spec.minute),
            seconds: Bits::of(&spec.second),
        }
    }

    fn has_year(&self, year: i16) -> bool {
        self.years.is_empty() && year <= YEAR_MAX || self.years.contains(&year)
    }

    fn has_day(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        self.days.has(small(date.day())) && self.weekdays.has(small(weekday))
    }

    /// Whether a time matches.
    pub(crate) fn matches(&self, zone: &Zone, seconds: i64) -> bool {
        let local = seconds + zone.stretch(seconds).offset;
        Civil::from_seconds(local).is_some_and(|civil| {
            self.has_year(civil.date.year())
                && self.months.has(small(civil.date.month()))
                && self.has_day(civil.date)
                && self.hours.has(civil.hour)
                && self.minutes.has(civil.minute)
                && self.seconds.has(civil.second)
        })
    }

    /// The first time from `from` on that matches, in seconds since the epoch. A local time that a
    /// zone leaves out never comes; one that it has twice comes twice.
    pub(crate) fn first_from(&self, zone: &Zone, mut from: i64) -> Option<i64> {
        loop {
            let stretch = zone.stretch(from);
            let local = Civil::from_seconds(from + stretch.offset)?;
            let found = self.first_local(local).map(|civil| civil.seconds() - stretch.offset);
            match found {
                Some(found) if found < stretch.end => return Some(found),
                // Even a calendar with no time left here may have one in an hour that is repeated.
                _ if stretch.end == i64::MAX || local.date.year() > YEAR_MAX => return None,
                _ => from = stretch.end,
            }
        }
    }

    /// The first local time from this one on that matches.
    fn first_local(&self, from: Civil) -> Option<Civil> {
        if let Some(date) = self.first_day(from.date) {
            let start = if date == from.date { from } else { Civil::midnight(date) };
            if let Some(found) = self.first_of_day(start) {
                return Some(found);
            }
            let tomorrow = date.tomorrow().ok()?;
            let next = self.first_day(tomorrow)?;
            return self.first_of_day(Civil::midnight(next));
        }
        None
    }

    fn first_day(&self, mut date: Date) -> Option<Date> {
        loop {
            if date.year() > YEAR_MAX {
                return None;
            }
            if !self.has_year(date.year()) {
                let year = *self.years.range(date.year()..=YEAR_MAX).next()?;
                date = Date::new(year, 1, 1).ok()?;
            }
            if !self.months.has(small(date.month())) {
                date = match self.months.at_least(small(date.month())) {
                    Some(month) if month <= 12 => {
                        Date::new(date.year(), i8::try_from(month).ok()?, 1).ok()?
                    }
                    _ => Date::new(date.year() + 1, 1, 1).ok()?,
                };
                continue;
            }
            if self.has_day(date) {
                return Some(date);
            }
            date = date.tomorrow().ok()?;
        }
    }

    fn first_of_day(&self, from: Civil) -> Option<Civil> {
        let mut hour = self.hours.at_least(from.hour)?;
        if hour == from.hour {
            if self.minutes.has(from.minute)
                && let Some(second) = self.seconds.at_least(from.second)
            {
                return Some(Civil { second, ..from });
            }
            if let Some(minute) = self.minutes.at_least(from.minute + 1) {
                let second = self.seconds.at_least(0)?;
                return Some(Civil { minute, second, ..from });
            }
            hour = self.hours.at_least(hour + 1)?;
        }
        let (minute, second) = (self.minutes.at_least(0)?, self.seconds.at_least(0)?);
        Some(Civil { hour, minute, second, ..from })
    }
}

fn small(value: i8) -> u8 {
    u8::try_from(value).unwrap_or(0)
}
