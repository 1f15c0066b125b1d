//! `config`: profiles in the TOML file.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    Surroundings,
    columns::{Column, plain},
    error::{Error, Result},
    options::CommonOptions,
    output::Output,
    profile::{self, Profile, ProfileFile},
};

/// Commands about profiles.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show a property of a profile, or all.
    Get(Get),
    /// Set a property of a profile.
    Set(Set),
    /// Remove a property of a profile.
    Delete(Delete),
    /// Remove a profile.
    DeleteProfile,
    /// List profiles.
    List,
}

/// See `config get`.
#[derive(Debug, Args)]
pub struct Get {
    /// Property, such as `address` or `tls.client_cert_path`.
    #[arg(long, short = 'p', value_name = "NAME")]
    prop: Option<String>,
}

/// See `config set`.
#[derive(Debug, Args)]
pub struct Set {
    /// Property, such as `address` or `tls.client_cert_path`.
    #[arg(long, short = 'p', value_name = "NAME")]
    prop: String,
    /// Its value.
    #[arg(long, short = 'v', value_name = "TEXT", allow_hyphen_values = true)]
    value: String,
}

/// See `config delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// Property, such as `address` or `tls.client_cert_path`.
    #[arg(long, short = 'p', value_name = "NAME")]
    prop: String,
}

/// Properties that are true or false.
const TRUTHS: &[&str] = &["tls", "tls.disabled", "tls.disable_host_verification"];

/// Properties that are texts; those of `grpc_meta.` are named by the user.
const TEXTS: &[&str] = &[
    "address",
    "namespace",
    "api_key",
    "authority",
    "tls.client_cert_path",
    "tls.client_cert_data",
    "tls.client_key_path",
    "tls.client_key_data",
    "tls.server_ca_cert_path",
    "tls.server_ca_cert_data",
    "tls.server_name",
    "codec.endpoint",
    "codec.auth",
];

const PROPERTIES: &[Column] = &[plain("Property", "/property"), plain("Value", "/value")];
const NAMES: &[Column] = &[plain("Name", "/name")];

impl ConfigCommand {
    pub(crate) fn run(
        self,
        options: &CommonOptions,
        around: &Surroundings,
        output: &mut Output,
    ) -> Result {
        let mut file = profile::read_or_begin(options, around)?;
        let (name, named) = profile::name(options, around);
        let missing = || Error::usage(format!("profile `{name}` not found"));
        match self {
            Self::List => {
                let rows: Vec<_> =
                    file.profiles.keys().map(|name| json!({ "name": name })).collect();
                if output.is_data() {
                    return output.data(&rows.into());
                }
                output.list(NAMES, &rows)
            }
            Self::DeleteProfile => {
                if !named {
                    return Err(Error::usage(
                        "to delete an entire profile, --profile must be provided explicitly",
                    ));
                }
                file.profiles.remove(&name).ok_or_else(missing)?;
                profile::write(&file, options, around)?;
                Ok(())
            }
            Self::Get(command) => {
                let profile = file.profiles.get(&name).ok_or_else(missing)?;
                command.run(profile, output)
            }
            Self::Set(command) => {
                let value = value_of(&command.prop, &command.value)?;
                change(&mut file, &name, &command.prop, Some(value))?;
                profile::write(&file, options, around)?;
                Ok(())
            }
            Self::Delete(command) => {
                if !file.profiles.contains_key(&name) {
                    return Err(missing());
                }
                check(&command.prop)?;
                change(&mut file, &name, &command.prop, None)?;
                profile::write(&file, options, around)?;
                Ok(())
            }
        }
    }
}

fn check(property: &str) -> Result {
    let known = TRUTHS.contains(&property)
        || TEXTS.contains(&property)
        || property.strip_prefix("grpc_meta.").is_some_and(|key| !key.is_empty());
    if known { Ok(()) } else { Err(Error::usage(format!("unknown property `{property}`"))) }
}

fn value_of(property: &str, text: &str) -> Result<Value> {
    check(property)?;
    match (TRUTHS.contains(&property), text) {
        (false, text) => Ok(text.into()),
        (true, "true") => Ok(true.into()),
        (true, "false") => Ok(false.into()),
        (true, _) => Err(Error::usage("must be 'true' or 'false' to set this property")),
    }
}

/// Sets or removes a property.
fn change(file: &mut ProfileFile, name: &str, property: &str, value: Option<Value>) -> Result {
    let profile = file.profiles.entry(name.to_owned()).or_default();
    let wrong = |error: serde_json::Error| Error::usage(error.to_string());
    let mut known = serde_json::to_value(&*profile).map_err(wrong)?;
    let value = match (property, value) {
        // A table with nothing in it turns encryption on.
        ("tls", Some(Value::Bool(true))) => {
            Some(known.get("tls").cloned().unwrap_or_else(|| json!({})))
        }
        ("tls", _) => None,
        (_, value) => value,
    };
    let (parent, key) = match property.split_once('.') {
        Some((parent, key)) => (Some(parent), key),
        None => (None, property),
    };
    let object = match (parent, &mut known) {
        (None, Value::Object(object)) => Some(object),
        (Some(parent), Value::Object(object)) => {
            object.entry(parent).or_insert_with(|| json!({})).as_object_mut()
        }
        _ => None,
    };
    if let Some(object) = object {
        match value {
            Some(value) => {
                object.insert(key.to_owned(), value);
            }
            None if object.remove(key).is_none() && parent == Some("grpc_meta") => {
                return Err(Error::usage(format!("gRPC meta key `{key}` not found")));
            }
            None => {}
        }
    }
    *profile = serde_json::from_value::<Profile>(known).map_err(wrong)?;
    Ok(())
}

impl Get {
    fn run(&self, profile: &Profile, output: &mut Output) -> Result {
        let known =
            serde_json::to_value(profile).map_err(|error| Error::usage(error.to_string()))?;
        let Some(property) = &self.prop else {
            if output.is_data() {
                return output.data(&known);
            }
            let rows: Vec<_> = TRUTHS
                .iter()
                .chain(TEXTS)
                .filter_map(|property| {
                    let value = get(&known, property)?;
                    Some(json!({ "property": property, "value": value }))
                })
                .chain(profile.grpc_meta.iter().map(
                    |(key, value)| json!({ "property": format!("grpc_meta.{key}"), "value": value }),
                ))
                .collect();
            return output.list(PROPERTIES, &rows);
        };
        if property == "codec" || property == "grpc_meta" {
            return Err(Error::usage("must provide exact property, not parent property"));
        }
        check(property)?;
        let value = match (get(&known, property), TRUTHS.contains(&property.as_str())) {
            (Some(value), _) => value,
            (None, true) => false.into(),
            (None, false) if property.starts_with("grpc_meta.") => {
                return Err(Error::usage(format!("unknown property `{property}`")));
            }
            (None, false) => "".into(),
        };
        let row = json!({ "property": property, "value": value });
        if output.is_data() {
            return output.data(&row);
        }
        output.list(PROPERTIES, &[row])
    }
}

/// A property of a profile; `tls` is true when there is such a table.
fn get(known: &Value, property: &str) -> Option<Value> {
    match property {
        "tls" => known.get("tls").map(|_| true.into()),
        _ => match property.split_once('.') {
            Some((parent, key)) => known.get(parent)?.get(key).cloned(),
            None => known.get(property).cloned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_set_and_removed() {
        let mut file = ProfileFile::default();
        let mut set = |property: &str, text: &str| {
            let value = value_of(property, text).unwrap();
            change(&mut file, "p", property, Some(value)).unwrap();
        };
        set("address", "a:1");
        set("tls", "true");
        set("tls.server_name", "x");
        set("grpc_meta.a-b", "1");
        let profile = &file.profiles["p"];
        assert_eq!(profile.address.as_deref(), Some("a:1"));
        assert_eq!(profile.tls.as_ref().unwrap().server_name.as_deref(), Some("x"));
        assert_eq!(profile.grpc_meta["a-b"], "1");
        change(&mut file, "p", "tls", None).unwrap();
        assert!(file.profiles["p"].tls.is_none());
        assert!(change(&mut file, "p", "grpc_meta.none", None).is_err());
        assert!(value_of("addres", "x").is_err());
        assert!(value_of("tls", "yes").is_err());
    }
}
