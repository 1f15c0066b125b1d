//! What policies can speak of, as a schema that they are checked against.

use std::fmt::Write as _;

use authz::{Access, DETAIL_NAMES, Kind, Scope, methods};

/// Methods that start a workflow, whatever else they do.
const STARTS: &[&str] = &[
    "CreateSchedule",
    "ExecuteMultiOperation",
    "SignalWithStartWorkflowExecution",
    "StartWorkflowExecution",
    "UpdateSchedule",
];

/// The groups of methods.
const GROUPS: &[&str] = &[
    "open",
    "read",
    "worker",
    "write",
    "admin",
    "on-cluster",
    "on-namespace",
    "long-poll",
    "starts",
];

/// The schema in Cedar's own form: the types of callers and resources, one action for each method,
/// and what the context may hold.
pub fn schema_text() -> String {
    let mut text = String::from(
        "// A role on a namespace, such as Role::\"orders:write\"; temporal-system stands for all.\n\
         // Lower roles come with it: whoever has `write` has `read` and `worker` too.\n\
         entity Role;\n\n\
         // A caller, such as Principal::\"jwt:alice\", Principal::\"api-key:ci\".\n\
         entity Principal in [Role] = { \"kind\": String, \"name\": String };\n\n\
         entity Namespace;\n\
         entity Cluster;\n\n\
         // What a request names. Guard each with `context has …`: a signal by a workflow's id\n\
         // says nothing of the workflow's type.\n\
         type Named = {\n    \"namespace\": String,\n",
    );
    for name in DETAIL_NAMES {
        // Writing to a string does not fail.
        let _infallible = writeln!(text, "    \"{name}\"?: String,");
    }
    text.push_str("};\n\n");
    for group in GROUPS {
        let _infallible = writeln!(text, "action \"{group}\";");
    }
    for rpc in methods() {
        let mut groups = vec![match rpc.access {
            Access::Open => "open",
            Access::Read => "read",
            Access::Worker => "worker",
            Access::Write => "write",
            Access::Admin => "admin",
        }];
        groups.push(match rpc.scope {
            Scope::Cluster => "on-cluster",
            Scope::Namespace => "on-namespace",
        });
        if rpc.kind == Kind::LongPoll {
            groups.push("long-poll");
        }
        if STARTS.contains(&rpc.name) {
            groups.push("starts");
        }
        let _infallible = write!(
            text,
            "\naction \"{}\" in [\"{}\"] appliesTo {{\n    principal: [Principal],\n    \
             resource: [Namespace, Cluster],\n    context: Named,\n}};\n",
            rpc.name,
            groups.join("\", \"")
        );
    }
    text
}
