//! What a process has used so far, read from `/proc`.

use std::{fs, time::Duration};

use anyhow::Context as _;

/// `/proc` counts processor time in ticks of 10 ms on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// Positions after the command name in `/proc/PID/stat`.
const UTIME: usize = 11;
const STIME: usize = 12;
/// User, nice, system, interrupt and soft interrupt time in the first line of `/proc/stat`.
const BUSY: [usize; 5] = [1, 2, 3, 6, 7];
/// The state of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Totals since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time of all its threads, those that ended included.
    pub cpu: Duration,
    /// Bytes that it caused to be written to the block layer.
    pub write_bytes: u64,
    /// Bytes that it passed to write calls of any kind, sockets included.
    pub wchar: u64,
    /// Resident memory in bytes, as of this moment.
    pub rss_bytes: u64,
}

/// Reads the usage of process `pid`.
///
/// # Errors
/// When there is no such process or it belongs to somebody else.
pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    };
    let (stat, io, status) = (read("stat")?, read("io")?, read("status")?);
    Ok(Usage {
        cpu: cpu(&stat).context("/proc/PID/stat has no processor times")?,
        write_bytes: field(&io, "write_bytes:").context("/proc/PID/io has no write_bytes")?,
        wchar: field(&io, "wchar:").context("/proc/PID/io has no wchar")?,
        rss_bytes: field(&status, "VmRSS:").context("/proc/PID/status has no VmRSS")? * 1024,
    })
}

fn cpu(stat: &str) -> Option<Duration> {
    // The command name may hold anything, so count from behind its closing parenthesis.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |position: usize| fields.get(position)?.parse::<u32>().ok();
    Some(TICK * (ticks(UTIME)? + ticks(STIME)?))
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The time that all processors of the machine have worked so far, for any process.
///
/// # Errors
/// When `/proc/stat` cannot be read.
pub fn machine_busy() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    busy(&stat).context("/proc/stat has no processor times")
}

fn busy(stat: &str) -> Option<Duration> {
    let words: Vec<&str> = stat.lines().next()?.split_whitespace().collect();
    let ticks = |position: usize| words.get(position)?.parse::<u32>().ok();
    let total: Option<u32> = BUSY.into_iter().map(ticks).sum();
    total.map(|ticks| TICK * ticks)
}

/// Whether this process itself listens on the TCP port. Two servers cannot share a port, so the
/// one that answers there need not be the one that was started.
pub fn listens_on(pid: u32, port: u16) -> bool {
    let tables = ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("/proc/{pid}/net/{name}")));
    let tables = tables.map(Result::unwrap_or_default);
    let sockets: Vec<String> =
        tables.iter().flat_map(|table| listening_sockets(table, port)).collect();
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors
        .filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok())
        .any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
}

/// The sockets in a table of `/proc/net` that listen on the port, named as descriptors show them.
fn listening_sockets(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|words| {
            words.get(1).is_some_and(|local| local.ends_with(&suffix))
                && words.get(3) == Some(&LISTENING)
        })
        .filter_map(|words| Some(format!("socket:[{}]", words.get(9)?)))
        .collect()
}

/// The first child of a process.
pub fn first_child(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_command_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 9 0 1 1 1";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn waiting_is_not_being_busy() {
        assert_eq!(busy("cpu  100 20 30 9999 8888 4 6 7 0 0\n"), Some(TICK * 160));
    }

    #[test]
    fn a_port_belongs_to_the_process_that_listens_on_it() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listens_on(std::process::id(), port));
        drop(listener);
        assert!(!listens_on(std::process::id(), port));
    }

    #[test]
    fn this_process_has_a_usage() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.rss_bytes > 0, "{usage:?}");
    }
}
