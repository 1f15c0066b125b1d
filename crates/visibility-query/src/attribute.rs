//! What a condition may be about.

use std::fmt;

/// The type of a search attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeType {
    /// Text that is matched by words.
    Text,
    /// A string that is matched as a whole or by prefix.
    Keyword,
    /// A 64-bit integer.
    Int,
    /// A 64-bit floating-point number.
    Double,
    /// True or false.
    Bool,
    /// A point in time.
    Datetime,
    /// A set of strings, each matched as a whole.
    KeywordList,
}

impl AttributeType {
    /// Every type, in the order of the API's `IndexedValueType`.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Keyword,
        Self::Int,
        Self::Double,
        Self::Bool,
        Self::Datetime,
        Self::KeywordList,
    ];

    /// The name that queries' error texts and payloads' `type` metadata carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Keyword => "Keyword",
            Self::Int => "Int",
            Self::Double => "Double",
            Self::Bool => "Bool",
            Self::Datetime => "Datetime",
            Self::KeywordList => "KeywordList",
        }
    }

    /// The type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True for types whose attribute holds any number of strings: a condition is about whether
    /// one of them matches, and a negated one also holds for a run without the attribute.
    pub const fn is_many(self) -> bool {
        matches!(self, Self::Text | Self::KeywordList)
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

macro_rules! system_attributes {
    ($($(#[$doc:meta])* $name:ident: $kind:ident,)*) => {
        /// The attributes that every run has by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SystemAttribute {
            $($(#[$doc])* $name,)*
        }

        impl SystemAttribute {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in queries.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The type of its values.
            pub const fn kind(self) -> AttributeType {
                match self {
                    $(Self::$name => AttributeType::$kind,)*
                }
            }
        }
    };
}

system_attributes! {
    /// The user's id of the workflow.
    WorkflowId: Keyword,
    /// The id of the run.
    RunId: Keyword,
    /// The name of the workflow type.
    WorkflowType: Keyword,
    /// When the run was created.
    StartTime: Datetime,
    /// When its first workflow task became due: after a delay or back-off.
    ExecutionTime: Datetime,
    /// When the run closed; null while it is open.
    CloseTime: Datetime,
    /// The status, by name or by number.
    ExecutionStatus: Keyword,
    /// The task queue of the run.
    TaskQueue: Keyword,
    /// The number of events; null while the run is open.
    HistoryLength: Int,
    /// The bytes of its history; null while the run is open.
    HistorySizeBytes: Int,
    /// From execution time to close time, in nanoseconds; null while the run is open.
    ExecutionDuration: Int,
    /// The number of state transitions; null while the run is open.
    StateTransitionCount: Int,
    /// The workflow id of the parent, if any.
    ParentWorkflowId: Keyword,
    /// The run id of the parent, if any.
    ParentRunId: Keyword,
    /// The workflow id of the first ancestor; the run's own without a parent.
    RootWorkflowId: Keyword,
    /// The run id of the first ancestor; the run's own without a parent.
    RootRunId: Keyword,
    /// Sets entities that are not plain workflows apart, such as schedules. A query that does not
    /// mention it sees only runs without it.
    TemporalNamespaceDivision: Keyword,
}

/// The attributes that the server defines but that are stored like custom ones.
pub(crate) const PREDEFINED: [(&str, AttributeType); 16] = [
    ("BatcherNamespace", AttributeType::Keyword),
    ("BatcherUser", AttributeType::Keyword),
    ("BinaryChecksums", AttributeType::KeywordList),
    ("BuildIds", AttributeType::KeywordList),
    ("TemporalChangeVersion", AttributeType::KeywordList),
    ("TemporalExternalPayloadCount", AttributeType::Int),
    ("TemporalExternalPayloadSizeBytes", AttributeType::Int),
    ("TemporalPauseInfo", AttributeType::KeywordList),
    ("TemporalReportedProblems", AttributeType::KeywordList),
    ("TemporalScheduledById", AttributeType::Keyword),
    ("TemporalScheduledStartTime", AttributeType::Datetime),
    ("TemporalSchedulePaused", AttributeType::Bool),
    ("TemporalUsedWorkerDeploymentVersions", AttributeType::KeywordList),
    ("TemporalWorkerDeployment", AttributeType::Keyword),
    ("TemporalWorkerDeploymentVersion", AttributeType::Keyword),
    ("TemporalWorkflowVersioningBehavior", AttributeType::Keyword),
];

/// A resolved attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// A property of the run itself.
    System(SystemAttribute),
    /// A search attribute that is stored with the run.
    Stored {
        /// The name under which it is stored.
        name: String,
        /// The type of its values.
        kind: AttributeType,
    },
}

impl Attribute {
    /// The canonical name.
    pub fn name(&self) -> &str {
        match self {
            Self::System(attribute) => attribute.name(),
            Self::Stored { name, .. } => name,
        }
    }

    /// The type of its values.
    pub const fn kind(&self) -> AttributeType {
        match self {
            Self::System(attribute) => attribute.kind(),
            Self::Stored { kind, .. } => *kind,
        }
    }
}

impl From<SystemAttribute> for Attribute {
    fn from(attribute: SystemAttribute) -> Self {
        Self::System(attribute)
    }
}
