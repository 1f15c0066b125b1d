//! A load generator for any server that speaks Temporal's protocol.
//!
//! It plays the starter, the workflow worker and the activity worker with raw gRPC calls, keeping
//! to what an SDK does on the wire (sticky queues, partial histories, `return_new_workflow_task`)
//! and to a small cost of its own, because it shares the machine with the server it measures.
//!
//! Every number it reports comes from a run in which every result was read back and compared, a
//! sample of the histories had exactly the expected events, and none was lost; anything else is a
//! failed run. Entry points: [`scenario::Scenario`] says what runs, [`drive::drive`] runs and
//! measures one, [`bench::bench`] compares two servers.
//!
//! It knows nothing of the server's inside: it depends on `api` alone.

#![expect(clippy::print_stdout, reason = "a command-line tool reports on its standard output")]

pub mod activity_worker;
pub mod bench;
pub mod client;
mod clock;
pub mod drive;
pub mod fsync_trace;
pub mod history;
pub mod in_flight;
pub mod latency;
pub mod metrics_page;
pub mod options;
pub mod payload;
pub mod process;
pub mod program;
pub mod report;
pub mod scenario;
pub mod secured;
pub mod server;
pub mod starter;
pub mod update;
pub mod verification;
pub mod workflow_worker;
