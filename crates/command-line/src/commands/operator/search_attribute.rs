//! `operator search-attribute`.

use api::{
    enums::v1::IndexedValueType,
    operatorservice::v1::{
        AddSearchAttributesRequest, ListSearchAttributesRequest, RemoveSearchAttributesRequest,
    },
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    columns::{Column, enumeration, plain},
    context::Context,
    error::{Error, Result},
    paint::Paint,
    values::{self, camel},
};

values::enumeration!(value_type, IndexedValueType, "INDEXED_VALUE_TYPE_");

/// Commands about search attributes.
#[derive(Debug, Subcommand)]
pub enum SearchAttributeCommand {
    /// Make search attributes.
    Create(Create),
    /// List search attributes.
    List,
    /// Remove search attributes.
    Remove(Remove),
}

impl SearchAttributeCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List => list(context).await,
            Self::Remove(command) => command.run(context).await,
        }
    }
}

/// See `operator search-attribute create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Name. May be repeated, each with its type.
    #[arg(long, required = true)]
    name: Vec<String>,
    /// Type: Text, Keyword, Int, Double, Bool, Datetime or KeywordList.
    #[arg(long = "type", required = true, value_name = "TYPE", value_parser = value_type)]
    value_type: Vec<i32>,
}

impl Create {
    async fn run(self, context: &mut Context) -> Result {
        if self.name.len() != self.value_type.len() {
            return Err(Error::usage("there must be as many --type as --name"));
        }
        let namespace = context.namespace();
        let request = ListSearchAttributesRequest { namespace: namespace.clone() };
        let known = context.call(request).await?.custom_attributes;
        let wanted = self.name.into_iter().zip(self.value_type);
        let search_attributes: std::collections::BTreeMap<_, _> = wanted.collect();
        for (name, wanted) in &search_attributes {
            if let Some(there) = known.get(name)
                && there != wanted
            {
                let there = IndexedValueType::try_from(*there).unwrap_or_default().as_str_name();
                let there = camel(there.strip_prefix("INDEXED_VALUE_TYPE_").unwrap_or(there));
                return Err(Error::usage(format!(
                    "search attribute {name} already exists and has different type {there}"
                )));
            }
        }
        context.call(AddSearchAttributesRequest { search_attributes, namespace }).await?;
        let text = context.output.paint("Search attributes have been added", Paint::Green);
        context.output.line(&text)
    }
}

const COLUMNS: &[Column] =
    &[plain("Name", "/name"), enumeration("Type", "/type", "INDEXED_VALUE_TYPE_")];

async fn list(context: &mut Context) -> Result {
    let namespace = context.namespace();
    let answer = context.call(ListSearchAttributesRequest { namespace }).await?;
    let value = context.json(&answer)?;
    if context.output.is_data() {
        return context.output.data(&value);
    }
    let mut rows = Vec::new();
    for group in ["systemAttributes", "customAttributes"] {
        let attributes = value.get(group).and_then(Value::as_object);
        for (name, kind) in attributes.into_iter().flatten() {
            rows.push(json!({ "name": name, "type": kind }));
        }
    }
    context.output.list(COLUMNS, &rows)
}

/// See `operator search-attribute remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Name. May be repeated.
    #[arg(long, required = true)]
    name: Vec<String>,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Remove {
    async fn run(self, context: &mut Context) -> Result {
        let names = self.name.join(", ");
        let question = format!("You are about to remove search attribute {names}? y/N");
        context.output.confirm(&question, self.yes)?;
        let namespace = context.namespace();
        let request = RemoveSearchAttributesRequest { search_attributes: self.name, namespace };
        context.call(request).await?;
        let text = context.output.paint("Search attributes have been removed", Paint::Green);
        context.output.line(&text)
    }
}
