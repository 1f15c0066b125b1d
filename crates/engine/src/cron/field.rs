//! One field of a cron schedule: the values that match.

/// Which values a field may have, and their names.
#[derive(Debug)]
pub(super) struct Bounds {
    min: u32,
    max: u32,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
}

pub(super) const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
pub(super) const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
pub(super) const DAYS_OF_MONTH: Bounds = Bounds { min: 1, max: 31, names: &[] };
pub(super) const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const DAYS_OF_WEEK: Bounds =
    Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The values that match.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Field {
    values: u64,
    /// Written as `*`: as good as absent beside another field.
    pub(super) is_any: bool,
}

impl Field {
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Option<Self> {
        let mut field = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            field.add_range(range, bounds)?;
        }
        Some(field)
    }

    pub(super) fn has(&self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.values & (1 << value.min(63)) != 0)
    }

    /// Adds `*`, `low` or `low-high`, perhaps with `/step`. A single value with a step goes on to
    /// the highest one.
    fn add_range(&mut self, text: &str, bounds: &Bounds) -> Option<()> {
        let parts: Vec<&str> = text.split('/').collect();
        let (range, step) = match parts.as_slice() {
            [range] => (*range, None),
            [range, step] => (*range, Some(number(step)?)),
            _ => return None,
        };
        let ends: Vec<&str> = range.split('-').collect();
        let any = matches!(ends.first(), Some(&("*" | "?")));
        let (low, high) = match ends.as_slice() {
            _ if any => (bounds.min, bounds.max),
            [low] => {
                let low = bounds.value(low)?;
                (low, if step.is_some() { bounds.max } else { low })
            }
            [low, high] => (bounds.value(low)?, bounds.value(high)?),
            _ => return None,
        };
        let step = step.unwrap_or(1);
        if low < bounds.min || high > bounds.max || low > high || step == 0 {
            return None;
        }
        self.is_any |= any && step == 1;
        let mut value = low;
        while value <= high {
            self.values |= 1 << value;
            value = value.saturating_add(step);
        }
        Some(())
    }
}

impl Bounds {
    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Some(self.min + index),
            None => number(text),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}
