//! Measures what it costs to ask policies about a call: `evaluation_cost [QUESTIONS]`.
//!
//! Sets of 1, 10, 100 and 1,000 policies, of which the last speaks of the call; a caller whose
//! entities are known, one of so many that none is, and a call of two parts. All of it is processor
//! time of the one thread, so that it does not matter what else the machine does.
#![expect(clippy::print_stdout, reason = "a measuring program")]

use std::{error::Error, fs, path::Path};

use authz::{Caller, Claims, Details, Part, Policy, Principal, Resource, Roles, Rpc};
use policies::{Policies, Settings};

/// How many questions are asked when nobody says.
const QUESTIONS: usize = 2000;

/// More callers than are remembered.
const CALLERS: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let questions = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(QUESTIONS);
    let folder = std::env::temp_dir().join(format!("evaluation-cost-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = [1, 10, 100, 1000].map(|count| measure(&folder, count, questions));
    fs::remove_dir_all(&folder)?;
    println!("policies  reading ms  known caller us  unknown caller us  two parts us");
    for result in measured {
        println!("{}", result?);
    }
    Ok(())
}

fn measure(folder: &Path, count: usize, questions: usize) -> Result<String, Box<dyn Error>> {
    let file = folder.join(format!("{count}.cedar"));
    let rules: Vec<String> = (1..=count).map(|index| rule(index == count, index)).collect();
    fs::write(&file, rules.join("\n"))?;
    let started = cpu_nanos();
    let policies = Policies::open(Settings::of(file))?;
    let reading = per(cpu_nanos() - started, 1_000_000);
    let policy = Policy::Ruled(Roles::default(), policies.further());
    let start = authz::method("StartWorkflowExecution").ok_or("no start")?;
    let both = authz::method("SignalWithStartWorkflowExecution").ok_or("no signal with start")?;
    let details = Details {
        workflow_type: "Order",
        workflow_id: "order-1",
        task_queue: "orders",
        ..Details::default()
    };
    let resource = Resource::in_namespace("orders").about(details);
    let callers: Vec<Caller> = (0..CALLERS).map(|index| caller(&format!("c{index}"))).collect();
    let known = caller("shop");
    let parts = ["StartWorkflowExecution", "SignalWorkflowExecution"];
    let parts = parts.map(|rpc| Part { rpc, details });
    let time = |rpc: &'static Rpc, resource: Resource<'_>, callers: &[Caller]| {
        let started = cpu_nanos();
        for caller in callers.iter().cycle().take(questions) {
            let decided = authz::authorize(caller, rpc, resource, &policy);
            assert!(std::hint::black_box(decided).is_ok(), "the policies allow it");
        }
        per(cpu_nanos() - started, questions * 1000)
    };
    let known = std::slice::from_ref(&known);
    time(start, resource, known);
    let once = time(start, resource, known);
    let unknown = time(start, resource, &callers);
    let in_parts = time(both, resource.with_parts(&parts), known);
    Ok(format!("{count:>8}  {reading:>10.1}  {once:>15.1}  {unknown:>17.1}  {in_parts:>12.1}"))
}

/// Processor time of this thread, in nanoseconds.
fn cpu_nanos() -> usize {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

fn per(nanos: usize, parts: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count / 1000).unwrap_or(u32::MAX));
    number(nanos) / number(parts).max(1.0)
}

/// A policy as operators write them.
fn rule(speaks: bool, index: usize) -> String {
    let who = if speaks { "shop".to_owned() } else { format!("other-{index}") };
    format!(
        "forbid (principal == Principal::\"jwt:{who}\", action in Action::\"starts\", resource) \
         unless {{ context has workflowType && context.workflowType == \"Order\" && \
         context has taskQueue && context.taskQueue == \"orders\" }};"
    )
}

fn caller(name: &str) -> Caller {
    let mut claims = Claims::default();
    claims.grant_permission("orders:write");
    Caller::new(Principal::named("jwt", name), claims)
}
