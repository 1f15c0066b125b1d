//! Sets of numbers in texts, as `1-5/2,8` or `mon-fri`.

use api::schedule::v1::Range;

use crate::{SpecError, integer};

/// A field of a calendar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// What an empty text stands for.
    pub(crate) default: &'static str,
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) names: Names,
    /// Any value is written as no range at all.
    pub(crate) any_is_empty: bool,
    /// The last value is another word for the first.
    pub(crate) seven_is_zero: bool,
}

/// Words that stand for numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    words: &'static [&'static str],
    /// Letters that must be given at least.
    letters_min: usize,
    first: i64,
}

pub(crate) const NO_NAMES: Names = Names { words: &[], letters_min: 0, first: 0 };

pub(crate) const MONTHS: Names = Names {
    words: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
    letters_min: 3,
    first: 1,
};

pub(crate) const WEEKDAYS: Names = Names {
    words: &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
    letters_min: 2,
    first: 0,
};

impl Field {
    /// Reads a set. A number with a step reaches to the end of the field.
    pub(crate) fn parse(&self, text: &str) -> Result<Vec<Range>, SpecError> {
        let text = text.trim();
        let text = if text.is_empty() { self.default } else { text };
        if text == "*" && self.any_is_empty {
            return Ok(Vec::new());
        }
        let mut ranges = Vec::new();
        for part in text.split(',') {
            self.parse_part(part, &mut ranges)?;
        }
        Ok(ranges)
    }

    fn parse_part(&self, part: &str, ranges: &mut Vec<Range>) -> Result<(), SpecError> {
        let name = self.name;
        let refused = |why: &str| SpecError::new(format!("{name} {why}"));
        let limits = format!("not in range [{}-{}]", self.min, self.max);
        let (part, step) = match part.split_once('/') {
            None => (part, None),
            Some((_, step)) if step.contains('/') => return Err(refused("has too many slashes")),
            Some((_, "")) => return Err(refused("missing step value")),
            Some((part, step)) => (part, Some(integer::parse(step)?)),
        };
        if step.is_some_and(|step| step < 1) {
            return Err(refused("has invalid Step"));
        }
        let (start, mut end) = if part == "*" {
            (self.min, self.max)
        } else if let Some((start, end)) = part.split_once('-') {
            if end.contains('-') {
                return Err(refused("has too many dashes"));
            }
            let start = self.value(start, self.min);
            let start = start.ok_or_else(|| refused(&format!("Start is {limits}")))?;
            let end = self.value(end, start);
            (start, end.ok_or_else(|| refused(&format!("End is before Start or {limits}")))?)
        } else {
            let start = self.value(part, self.min);
            let start = start.ok_or_else(|| refused(&format!("is {limits}")))?;
            (start, if step.is_some() { self.max } else { start })
        };
        let step = step.unwrap_or(1);
        if self.seven_is_zero && end == 7 {
            // Sunday is the first day: a set that reaches to it from behind needs a part of its own.
            let is_member = (7 - start) % step == 0;
            if is_member && (step > 1 || start > 1) {
                ranges.push(Range::default());
                if start == 7 {
                    return Ok(());
                }
            }
            end = 6;
        }
        // What is the default anyway stays unset, as in the reference.
        let step = if step == 1 { 0 } else { step };
        let end = if end == start { 0 } else { end };
        let small = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        ranges.push(Range { start: small(start), end: small(end), step: small(step) });
        Ok(())
    }

    fn value(&self, text: &str, min: i64) -> Option<i64> {
        let value = self.names.find(text).or_else(|| integer::parse(text).ok())?;
        Some(value).filter(|value| (min..=self.max).contains(value))
    }
}

impl Names {
    fn find(&self, text: &str) -> Option<i64> {
        if self.words.is_empty() || text.len() < self.letters_min {
            return None;
        }
        let text = text.to_lowercase();
        let place = self.words.iter().position(|word| word.starts_with(&text))?;
        Some(self.first + i64::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Field = Field {
        name: "Month",
        default: "*",
        min: 1,
        max: 12,
        names: MONTHS,
        any_is_empty: false,
        seven_is_zero: false,
    };

    const WEEKDAY: Field = Field {
        name: "DayOfWeek",
        default: "*",
        min: 0,
        max: 7,
        names: WEEKDAYS,
        any_is_empty: false,
        seven_is_zero: true,
    };

    fn range(start: i32, end: i32, step: i32) -> Range {
        Range { start, end, step }
    }

    #[test]
    fn parts_are_numbers_names_and_ranges_with_steps() {
        assert_eq!(
            MONTH.parse(" 2,apr-9/3,11/1 "),
            Ok(vec![range(2, 0, 0), range(4, 9, 3), range(11, 12, 0)])
        );
        assert_eq!(MONTH.parse(""), Ok(vec![range(1, 12, 0)]));
    }

    #[test]
    fn the_seventh_day_is_sunday() {
        assert_eq!(WEEKDAY.parse("7"), Ok(vec![range(0, 0, 0)]));
        assert_eq!(WEEKDAY.parse("*"), Ok(vec![range(0, 6, 0)]));
        assert_eq!(WEEKDAY.parse("3-7"), Ok(vec![range(0, 0, 0), range(3, 6, 0)]));
        assert_eq!(WEEKDAY.parse("3-7/3"), Ok(vec![range(3, 6, 3)]));
        assert_eq!(WEEKDAY.parse("1-7/2"), Ok(vec![range(0, 0, 0), range(1, 6, 2)]));
    }

    #[test]
    fn what_is_no_set_is_named() {
        let text = |text: &str| MONTH.parse(text).unwrap_err().to_string();
        assert_eq!(text("0"), "Month is not in range [1-12]");
        assert_eq!(text("ja"), "Month is not in range [1-12]");
        assert_eq!(text("0-3"), "Month Start is not in range [1-12]");
        assert_eq!(text("5-2"), "Month End is before Start or not in range [1-12]");
        assert_eq!(text("1/2/3"), "Month has too many slashes");
        assert_eq!(text("1-2-3"), "Month has too many dashes");
        assert_eq!(text("1/0"), "Month has invalid Step");
        assert_eq!(text("1/"), "Month missing step value");
        assert_eq!(text("1/x"), "strconv.Atoi: parsing \"x\": invalid syntax");
    }
}
