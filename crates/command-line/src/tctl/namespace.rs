//! `tctl namespace`.

use clap::{Args, Subcommand};

use super::Words;

#[derive(Debug, Subcommand)]
pub(super) enum NamespaceCommand {
    /// Make a namespace.
    #[command(alias = "re")]
    Register(Change),
    /// Change a namespace.
    #[command(alias = "up", alias = "u")]
    Update(Change),
    /// Show a namespace.
    #[command(alias = "desc")]
    Describe {
        /// The namespace.
        name: Option<String>,
        #[arg(long = "namespace_id", alias = "id")]
        namespace_id: Option<String>,
    },
    /// List namespaces.
    #[command(alias = "l", alias = "li")]
    List,
}

/// What a namespace is made of.
#[derive(Debug, Args)]
pub(super) struct Change {
    /// The namespace.
    name: Option<String>,
    #[arg(long, alias = "desc")]
    description: Option<String>,
    #[arg(long = "owner_email", alias = "oe")]
    owner_email: Option<String>,
    /// Days, or a length of time.
    #[arg(long, alias = "rd")]
    retention: Option<String>,
    #[arg(long = "active_cluster", alias = "ac")]
    active_cluster: Option<String>,
    /// KEY=VALUE, several with commas between them.
    #[arg(long = "namespace_data", alias = "dmd", value_delimiter = ',')]
    namespace_data: Vec<String>,
}

impl NamespaceCommand {
    /// The command's words; it may name the namespace, too.
    pub(super) fn words(self, namespace: &mut Option<String>) -> Words {
        match self {
            Self::Register(change) => change.words("create", namespace),
            Self::Update(change) => change.words("update", namespace),
            Self::Describe { name, namespace_id } => {
                if name.is_some() {
                    *namespace = name;
                }
                Words::of(&["operator", "namespace", "describe"])
                    .option("namespace-id", namespace_id)
            }
            Self::List => Words::of(&["operator", "namespace", "list"]),
        }
    }
}

impl Change {
    fn words(self, verb: &str, namespace: &mut Option<String>) -> Words {
        if self.name.is_some() {
            *namespace = self.name;
        }
        let retention = self.retention.map(|text| match text.parse::<u32>() {
            Ok(days) => format!("{days}d"),
            Err(_) => text,
        });
        let mut words = Words::of(&["operator", "namespace", verb])
            .option("description", self.description)
            .option("email", self.owner_email)
            .option("retention", retention)
            .option("active-cluster", self.active_cluster);
        for pair in self.namespace_data {
            words = words.option("data", Some(pair));
        }
        words
    }
}
