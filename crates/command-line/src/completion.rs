//! `completion`: scripts that let shells complete commands.

use std::io;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::error::Result;

/// Print a script that lets a shell complete commands.
#[derive(Debug, Args)]
pub struct Completion {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    /// Prints the script for a whole tree of commands.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn run(&self, mut tree: Command) -> Result {
        let name = tree.get_name().to_owned();
        let mut script = Vec::new();
        generate(self.shell, &mut tree, name, &mut script);
        io::Write::write_all(&mut io::stdout().lock(), &script)?;
        Ok(())
    }
}
