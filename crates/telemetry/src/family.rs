//! What a metric family is.

/// A metric family: one name, one unit, one set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name on the wire.
    pub name: &'static str,
    /// One sentence for the reader of `/metrics`.
    pub help: &'static str,
    /// How values behave.
    pub kind: Kind,
    /// What values measure.
    pub unit: Unit,
    /// The role that the reference reports the family from; its dashboards select by it.
    pub service: Service,
    /// The labels, in the order in which values are given.
    pub labels: &'static [Label],
}

/// How the values of a family behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets.
    Histogram,
}

/// What the values of a family measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// The role that a family belongs to: the value of its `service_name` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The API's edge.
    Frontend,
    /// The owner of runs.
    History,
    /// Task queues.
    Matching,
    /// The process as a whole: no label.
    Process,
}

impl Service {
    /// The value of the `service_name` label.
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Frontend => Some("frontend"),
            Self::History => Some("history"),
            Self::Matching => Some("matching"),
            Self::Process => None,
        }
    }
}

/// A label of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The name on the wire.
    pub name: &'static str,
    /// True when users choose the values. Past [`SERIES_MAX`] such a value reads
    /// [`OTHER`]; the values of other labels are fixed by the program.
    pub chosen_by_users: bool,
}

/// The most series that one family keeps with values that users chose.
pub(crate) const SERIES_MAX: usize = 2_000;

/// What a value that a user chose reads once a family has [`SERIES_MAX`] series.
pub(crate) const OTHER: &str = "_other_";

impl Family {
    pub(crate) const fn counter(
        service: Service,
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        Self { name, help, kind: Kind::Counter, unit: Unit::Count, service, labels }
    }

    pub(crate) const fn gauge(
        service: Service,
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        Self { name, help, kind: Kind::Gauge, unit: Unit::Count, service, labels }
    }

    pub(crate) const fn latency(
        service: Service,
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        Self { name, help, kind: Kind::Histogram, unit: Unit::Seconds, service, labels }
    }

    pub(crate) const fn distribution(
        service: Service,
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        Self { name, help, kind: Kind::Histogram, unit: Unit::Count, service, labels }
    }

    pub(crate) const fn in_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// The upper bounds of a histogram's buckets.
    pub(crate) fn buckets(&self) -> &'static [f64] {
        match self.unit {
            Unit::Seconds => &[
                0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0,
                2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0,
            ],
            Unit::Count => &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0],
            Unit::Bytes => &[
                1024.0,
                4096.0,
                16_384.0,
                65_536.0,
                262_144.0,
                1_048_576.0,
                4_194_304.0,
                16_777_216.0,
            ],
        }
    }
}
