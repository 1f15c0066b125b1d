//! The tree of commands.

mod activity;
mod batch;
mod config;
mod count;
mod data_converter;
mod environments;
mod go;
mod history;
mod leaves;
mod login;
mod nexus;
mod operator;
mod outcome;
mod paging;
mod payload_input;
mod schedule;
mod start_options;
mod target;
mod task_queue;
mod watch;
mod worker;
mod workflow;

pub use activity::ActivityCommand;
pub use batch::BatchCommand;
pub use config::ConfigCommand;
pub use data_converter::DataConverterCommand;
pub use environments::EnvironmentCommand;
pub use history::HistoryCommand;
pub use login::{Login, Logout};
pub use nexus::NexusCommand;
pub use operator::OperatorCommand;
pub use schedule::ScheduleCommand;
pub use task_queue::TaskQueueCommand;
pub use worker::WorkerCommand;
pub use workflow::WorkflowCommand;
