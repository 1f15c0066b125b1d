//! A call between admission and answer.

use std::sync::Arc;

use crate::{AuditLog, Call, Keep, Names};

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
