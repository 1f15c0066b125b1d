//! Logs and metrics.
//!
//! Metric names are declared once, in [`names`]; the main families have the reference's names, so
//! that its dashboards work unchanged. A shell takes the handles it needs from [`Metrics`] once and
//! keeps them: counting is then one atomic operation. Every family has a limit on its series.
//!
//! This crate knows nothing of workflows or storage, and reads no clock: latencies are arguments.

mod audit;
mod cache;
mod command;
mod error_type;
mod family;
mod log;
mod metrics;
pub mod names;
mod process;
mod request;
mod security;
mod series;
mod store;
mod task;
mod task_queue;
mod workflow;

pub use audit::AuditMetrics;
pub use cache::CacheMetrics;
pub use command::{Command, CommandMetrics};
pub use error_type::ErrorType;
pub use family::{Family, Kind, Label, Service, Unit};
pub use log::{LogError, LogFormat, LogLevel, UnknownLogSetting, start_logging};
pub use metrics::{Metrics, MetricsError};
pub use request::{RequestInFlight, RequestMetrics};
pub use security::SecurityTotals;
pub use store::{OperationMetrics, StoreMetrics, StoreTotals};
pub use task::TaskMetrics;
pub use task_queue::{TaskQueueMetrics, TaskType};
pub use workflow::{ActivityTimeout, Outcome, WorkflowMetrics};
