//! The indexes of the table of runs, and what their entries say. [`crate::database`] makes them.

use visibility_query::SystemAttribute;

/// An index of the runs of a scope. Lists in the usual order go along [`RunIndex::Order`], or along
/// one value of an index that [has this order](RunIndex::has_usual_order) within its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunIndex {
    /// By close time, which starts the usual order.
    Order,
    Queue,
    Start,
    Status,
    Type,
    Workflow,
}

impl RunIndex {
    /// The one that has the values of an attribute in their order.
    pub(crate) const fn of(attribute: SystemAttribute) -> Option<Self> {
        Some(match attribute {
            SystemAttribute::CloseTime => Self::Order,
            SystemAttribute::TaskQueue => Self::Queue,
            SystemAttribute::StartTime => Self::Start,
            SystemAttribute::ExecutionStatus => Self::Status,
            SystemAttribute::WorkflowType => Self::Type,
            SystemAttribute::WorkflowId => Self::Workflow,
            _ => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Order => "execution_order",
            Self::Queue => "execution_queue",
            Self::Start => "execution_start",
            Self::Status => "execution_status",
            Self::Type => "execution_type",
            Self::Workflow => "execution_workflow",
        }
    }

    /// Where the table has the values of its attribute.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Order => "close_time",
            Self::Queue => "task_queue",
            Self::Start => "start_time",
            Self::Status => "status",
            Self::Type => "workflow_type",
            Self::Workflow => "workflow_id",
        }
    }

    /// Whether the runs of one value are in the order of lists.
    pub(crate) const fn has_usual_order(self) -> bool {
        matches!(self, Self::Queue | Self::Status | Self::Type)
    }

    /// Whether its entries alone tell the value of an attribute.
    pub(crate) const fn covers(self, attribute: SystemAttribute) -> bool {
        match attribute {
            SystemAttribute::ExecutionStatus | SystemAttribute::StartTime => {
                !matches!(self, Self::Workflow)
            }
            SystemAttribute::CloseTime => !matches!(self, Self::Start | Self::Workflow),
            SystemAttribute::WorkflowType => matches!(self, Self::Type),
            SystemAttribute::TaskQueue => matches!(self, Self::Queue),
            SystemAttribute::WorkflowId => matches!(self, Self::Workflow),
            _ => false,
        }
    }
}
