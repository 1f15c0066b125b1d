//! One counter from a Prometheus page.

use std::time::Duration;

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Longtide's count of fsync calls.
pub const FSYNCS: &str = "longtide_store_fsyncs";

const TIMEOUT: Duration = Duration::from_secs(5);
const PAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The sum of all samples of a counter on the page that `address` serves; `None` when the page
/// does not have it.
///
/// # Errors
/// When the page cannot be read.
pub async fn counter(address: &str, name: &str) -> anyhow::Result<Option<f64>> {
    let page = tokio::time::timeout(TIMEOUT, fetch(address))
        .await
        .context("the metrics page takes too long")??;
    Ok(sum(&page, name))
}

async fn fetch(address: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = String::new();
    stream.take(PAGE_BYTES_MAX).read_to_string(&mut page).await?;
    Ok(page)
}

fn sum(page: &str, name: &str) -> Option<f64> {
    let samples = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let rest = rest.strip_prefix("_total").unwrap_or(rest);
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        rest.rsplit_once(' ')?.1.parse::<f64>().ok()
    });
    samples.fold(None, |total, sample| Some(total.unwrap_or(0.0) + sample))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_name_are_added() {
        let page = "# TYPE a counter\na{slot=\"1\"} 2\na{slot=\"2\"} 3\nab 100\n";
        assert_eq!(sum(page, "a"), Some(5.0));
        assert_eq!(sum("a_total 4\n", "a"), Some(4.0));
        assert_eq!(sum(page, "b"), None);
    }
}
