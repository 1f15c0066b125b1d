//! `--watch`: the same again and again.

use std::time::Duration;

use clap::Args;

use crate::{
    context::Context,
    error::Result,
    values::{self, Length},
};

/// Whether a command is done again and again.
#[derive(Debug, Clone, Args)]
pub(crate) struct Watch {
    /// Do it again and again, until interrupted: every two seconds, or as often as told.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = values::length,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s"
    )]
    watch: Option<Length>,
}

/// The shortest pause between two times.
const PAUSE_MIN: Duration = Duration::from_millis(100);

impl Watch {
    /// Waits for the next time; false when there is none.
    pub(crate) async fn again(&self, context: &mut Context) -> Result<bool> {
        let Some(Length(pause)) = self.watch else { return Ok(false) };
        tokio::time::sleep(pause.max(PAUSE_MIN)).await;
        context.output.set_now(context.now());
        if context.output.is_text() {
            context.output.clear_screen()?;
        }
        Ok(true)
    }
}
