//! `completion`: scripts that let shells complete commands, and the ids behind their options.

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
    /// Complete ids of workflows and the like without asking the server.
    #[arg(long)]
    no_live_ids: bool,
}

/// What asks the server for ids, and leaves all else to the script before it.
const BASH: &str = r#"
_NAME_live() {
    local IFS=$'\n'
    COMPREPLY=($(NAME complete --prefix="$2" -- "${COMP_WORDS[@]:0:COMP_CWORD}" 2>/dev/null))
    if [ ${#COMPREPLY[@]} -eq 0 ]; then
        unset IFS
        _NAME "$@"
    elif declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$2"
    fi
}
complete -F _NAME_live -o bashdefault -o default NAME
"#;

const ZSH: &str = r#"
_NAME_live() {
    local -a found
    found=(${(f)"$(NAME complete --prefix="$words[CURRENT]" -- ${words[1,CURRENT-1]} 2>/dev/null)"})
    if (( $#found )); then
        compadd -- $found
    else
        _NAME "$@"
    fi
}
compdef _NAME_live NAME
"#;

const FISH: &str = r#"
function __NAME_live
    NAME complete --prefix=(commandline -ct) -- (commandline -opc) 2>/dev/null
end
complete -c NAME -a '(__NAME_live)'
"#;

impl Completion {
    /// Prints the script for a whole tree of commands.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn run(&self, mut tree: Command) -> Result {
        let name = tree.get_name().to_owned();
        let mut script = Vec::new();
        generate(self.shell, &mut tree, &name, &mut script);
        let live = match self.shell {
            Shell::Bash => BASH,
            Shell::Zsh => ZSH,
            Shell::Fish => FISH,
            _ => "",
        };
        if !self.no_live_ids {
            script.extend(live.replace("NAME", &name).into_bytes());
        }
        io::Write::write_all(&mut io::stdout().lock(), &script)?;
        Ok(())
    }
}
