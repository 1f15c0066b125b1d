//! Counts, in all and by group.

use api::{
    common::v1::Payload,
    workflowservice::v1::{
        CountActivityExecutionsResponse, CountNexusOperationExecutionsResponse,
        CountWorkflowExecutionsResponse,
    },
};

use crate::{
    columns,
    context::Context,
    error::Result,
    proto_json::{self, Named},
};

/// An answer with counts.
pub(crate) trait Groups: Named {
    fn count(&self) -> i64;
    fn groups(&self) -> Vec<(i64, &[Payload])>;
    /// Takes the types of search attributes away, with which values are not short.
    fn strip_types(&mut self);
}

macro_rules! groups {
    ($($answer:ident)*) => {
        $(impl Groups for $answer {
            fn count(&self) -> i64 {
                self.count
            }
            fn groups(&self) -> Vec<(i64, &[Payload])> {
                self.groups.iter().map(|group| (group.count, &group.group_values[..])).collect()
            }
            fn strip_types(&mut self) {
                for payload in self.groups.iter_mut().flat_map(|group| &mut group.group_values) {
                    payload.metadata.remove("type");
                }
            }
        })*
    };
}

groups! {
    CountWorkflowExecutionsResponse CountActivityExecutionsResponse
    CountNexusOperationExecutionsResponse
}

/// Prints counts.
pub(crate) fn print<A: Groups>(context: &mut Context, mut answer: A) -> Result {
    answer.strip_types();
    if context.output.is_data() {
        let json = context.json(&answer)?;
        return context.output.data(&json);
    }
    context.output.line(&format!("Total: {}", answer.count()))?;
    for (count, values) in answer.groups() {
        let values: Vec<_> =
            values.iter().map(|value| columns::text(&proto_json::value(value))).collect();
        let values = values.join(", ");
        context.output.line(&format!("Group total: {count}, values: {values}"))?;
    }
    Ok(())
}
