//! A call between admission and answer.

use std::sync::Arc;

use crate::{AuditLog, Call, Decision, Keep, Names};

/// A call that will be kept when it is answered, or when its caller has gone away.
#[derive(Debug)]
pub struct Pending {
    log: Arc<AuditLog>,
    keep: Keep,
    call: Option<Box<Call>>,
}

impl Pending {
    /// A call that was allowed; its outcome is that of a caller who goes away.
    pub fn new(log: Arc<AuditLog>, keep: Keep, call: Call) -> Self {
        Self { log, keep, call: Some(Box::new(call)) }
    }

    /// Adds what the call was about, where only its answer tells.
    pub fn name(&mut self, names: Names) {
        if let Some(call) = &mut self.call {
            call.target.add_all(names);
        }
    }

    /// The call has made or changed this run.
    pub fn reached(&mut self, run_id: &str) {
        if let Some(call) = &mut self.call {
            let named = call.target.get("run_id").map(|named| named == run_id);
            match named {
                Some(true) => {}
                // A reset names the run that it begins from.
                Some(false) => call.target.add("new_run_id", run_id),
                None => call.target.add("run_id", run_id),
            }
        }
    }

    /// The call was denied after all, by this rule: a part of it was.
    pub fn deny(&mut self, rule: &str) {
        if let Some(call) = &mut self.call {
            call.decision = Decision::Denied;
            call.rule = rule.to_owned();
        }
    }

    /// The call has failed with this code; whoever drops this has said so.
    pub fn fail(&mut self, outcome: &'static str) {
        if let Some(call) = &mut self.call {
            call.outcome = outcome;
        }
    }

    /// The call was answered with this code. The answer may go out when this returns.
    pub async fn answered(mut self, outcome: &'static str) {
        let Some(mut call) = self.call.take() else { return };
        call.outcome = outcome;
        match self.keep {
            _ if call.decision == Decision::Denied => self.log.tell(*call),
            Keep::Each => self.log.record(*call).await,
            Keep::Count => self.log.count(&call),
            Keep::Nothing => {}
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        match self.keep {
            Keep::Each => self.log.tell(*call),
            Keep::Count => self.log.count(&call),
            Keep::Nothing => {}
        }
    }
}
