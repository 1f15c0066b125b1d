//! How far long work is, for people who wait for it: a line on the terminal that goes again, and
//! nothing anywhere else.

use std::{pin::pin, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done before is not worth a line.
const DELAY: Duration = Duration::from_millis(300);

/// How often the line moves while nothing else happens.
const TICK: Duration = Duration::from_millis(100);

/// Work of a size that is known, and work of one that is not.
const BAR: &str = "{spinner} {msg}  {wide_bar}  {human_pos}/{human_len}  {elapsed_precise}";
const SPINNER: &str = "{spinner} {msg}  {elapsed_precise}";

/// How far one piece of work is. Without a terminal there is nothing to see, and nothing is done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins, out of sight at first.
    pub(crate) fn begin(what: &str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_style(style(if total.is_some() { BAR } else { SPINNER }));
        bar.set_message(what.to_owned());
        Self(Some(bar))
    }

    /// So much more is done.
    pub(crate) fn add(&self, more: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(more.try_into().unwrap_or(u64::MAX));
            show(bar);
        }
    }

    /// So much is done of so much.
    pub(crate) fn set(&self, done: u64, total: u64) {
        let Some(bar) = &self.0 else { return };
        if bar.length().is_none() && total > 0 {
            bar.set_style(style(BAR));
        }
        if total > 0 {
            bar.set_length(total);
        }
        bar.set_position(done);
        show(bar);
    }

    /// Waits for something, and shows meanwhile that it does.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(bar) = &self.0 else { return work.await };
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = work.as_mut() => return done,
                () = tokio::time::sleep(TICK) => {
                    show(bar);
                    bar.tick();
                }
            }
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Comes into sight, once it has been long enough.
fn show(bar: &ProgressBar) {
    if bar.is_hidden() && bar.elapsed() >= DELAY {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_understood() {
        for template in [BAR, SPINNER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[tokio::test]
    async fn work_that_nobody_watches_is_done_all_the_same() {
        let nobody = Progress::default();
        nobody.set(1, 2);
        nobody.add(1);
        assert_eq!(nobody.during(async { 7 }).await, 7);
        nobody.end();
    }
}
