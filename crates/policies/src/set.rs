//! A set of policies, read as a whole or not at all.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::LazyLock,
};

use authz::Ruling;
use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, EntityUid, PolicyId, PolicySet, Request,
    Schema, ValidationMode, Validator,
};

use crate::schema::schema_text;

/// Most policies, over all files: each is looked at in each call.
const POLICIES_MAX: usize = 1000;

/// Most bytes of all files together.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The schema with all actions, read once: it is the same for all files.
static SCHEMA: LazyLock<Result<(Schema, Entities), String>> = LazyLock::new(|| {
    let schema = Schema::from_str(&schema_text()).map_err(|error| error.to_string())?;
    let actions = schema.action_entities().map_err(|error| error.to_string())?;
    Ok((schema, actions))
});

/// Policies that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoliciesError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory has nothing in it: it may not be there yet, or no more.
    #[error(
        "`{}` has no file that ends in `.cedar`; an empty one says that there are no policies",
        .0.display()
    )]
    Missing(PathBuf),
    /// There is more than is taken.
    #[error("there are more than {0}")]
    TooMany(String),
    /// A text is no policy.
    #[error("`{file}`: {text}")]
    Malformed {
        /// The file.
        file: String,
        /// Why.
        text: String,
    },
    /// Policies speak of what there is not.
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
    /// The schema is wrong, which a test rules out.
    #[error("the schema: {0}")]
    Schema(String),
}

/// The texts of the files, by their names.
pub(crate) type Texts = BTreeMap<String, String>;

/// Policies, ready to be asked.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) texts: Texts,
    policies: PolicySet,
    authorizer: Authorizer,
    /// All actions and their groups.
    pub(crate) actions: Entities,
}

/// Reads the files at a path: one, or all of a directory that end in `.cedar`.
pub(crate) fn read(path: &Path) -> Result<Texts, PoliciesError> {
    let unreadable = |path: &Path, source| PoliciesError::Unreadable { path: path.into(), source };
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| unreadable(path, error))? {
            let entry = entry.map_err(|error| unreadable(path, error))?.path();
            if entry.extension().is_some_and(|extension| extension == "cedar") {
                files.push(entry);
            }
        }
        if files.is_empty() {
            return Err(PoliciesError::Missing(path.to_owned()));
        }
    } else {
        files.push(path.to_owned());
    }
    let (mut texts, mut bytes) = (Texts::new(), 0);
    for file in files {
        let meta = fs::metadata(&file).map_err(|error| unreadable(&file, error))?;
        bytes += meta.len();
        if bytes > BYTES_MAX {
            return Err(PoliciesError::TooMany(format!("{BYTES_MAX} bytes")));
        }
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, error))?;
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        texts.insert(name, text);
    }
    Ok(texts)
}

impl Set {
    /// Checks texts and makes a set of them.
    pub(crate) fn new(texts: Texts) -> Result<Self, PoliciesError> {
        let (schema, actions) =
            SCHEMA.as_ref().map_err(|error| PoliciesError::Schema(error.clone()))?;
        let mut policies = PolicySet::new();
        for (file, text) in &texts {
            add(&mut policies, file, text)?;
        }
        if policies.num_of_policies() > POLICIES_MAX {
            return Err(PoliciesError::TooMany(format!("{POLICIES_MAX} policies")));
        }
        let checked = Validator::new(schema.clone()).validate(&policies, ValidationMode::default());
        let problems: Vec<String> = checked.validation_errors().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(PoliciesError::Invalid(problems));
        }
        let actions = actions.clone();
        Ok(Self { texts, policies, authorizer: Authorizer::new(), actions })
    }

    /// How many policies there are.
    pub(crate) fn len(&self) -> usize {
        self.policies.num_of_policies()
    }

    /// How many of them permit.
    pub(crate) fn permits(&self) -> usize {
        self.policies.policies().filter(|policy| policy.effect() == Effect::Permit).count()
    }

    /// Asks all policies. One that forbids wins, and so does one of those that cannot be evaluated:
    /// what it would have said is not known.
    pub(crate) fn ask(
        &self,
        (principal, action, resource): (EntityUid, EntityUid, EntityUid),
        context: Context,
        entities: &Entities,
    ) -> Ruling {
        let request = match Request::new(principal, action, resource, context, None) {
            Ok(request) => request,
            Err(error) => return Ruling::Forbids(format!("no request can be made: {error}")),
        };
        let response = self.authorizer.is_authorized(&request, &self.policies, entities);
        let diagnostics = response.diagnostics();
        for error in diagnostics.errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
            if self.forbids(error.policy_id()) {
                tracing::error!(%error, "a policy cannot be evaluated, and so it forbids");
                return Ruling::Forbids(error.policy_id().to_string());
            }
            tracing::error!(%error, "a policy cannot be evaluated, and so it permits nothing");
        }
        let mut names: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
        names.sort();
        match (response.decision(), names.is_empty()) {
            (_, true) => Ruling::Silent,
            (Decision::Allow, false) => Ruling::Permits(names.join(", ")),
            (Decision::Deny, false) => Ruling::Forbids(names.join(", ")),
        }
    }

    /// The text of one policy.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.policies.policy(&PolicyId::new(name))?.to_cedar()
    }

    fn forbids(&self, id: &PolicyId) -> bool {
        self.policies.policy(id).is_none_or(|policy| policy.effect() == Effect::Forbid)
    }
}

/// Adds the policies of a file. They are called by the file and by their annotation `@id`, or their
/// place in it.
fn add(policies: &mut PolicySet, file: &str, text: &str) -> Result<(), PoliciesError> {
    let malformed = |text: String| PoliciesError::Malformed { file: file.to_owned(), text };
    let read = PolicySet::from_str(text).map_err(|error| malformed(error.to_string()))?;
    if read.num_of_templates() > 0 {
        return Err(malformed("it has a template, which nothing would fill in".to_owned()));
    }
    for policy in read.policies() {
        let own = policy.id().to_string();
        let place = own.strip_prefix("policy").and_then(|place| place.parse::<usize>().ok());
        let name = match (policy.annotation("id"), place) {
            (Some(id), _) => id.to_owned(),
            (None, Some(place)) => format!("{}", place + 1),
            (None, None) => own,
        };
        let id = PolicyId::new(format!("{file}/{name}"));
        policies.add(policy.new_id(id)).map_err(|error| malformed(error.to_string()))?;
    }
    Ok(())
}
