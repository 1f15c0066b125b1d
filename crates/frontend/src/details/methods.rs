//! Methods that others do as a part of their own.

macro_rules! methods {
    ($($name:ident = $method:literal;)*) => {
        $(pub(super) const $name: &str = $method;)*

        #[cfg(test)]
        const ALL: &[&str] = &[$($name),*];
    };
}

methods! {
    CANCEL = "RequestCancelWorkflowExecution";
    CANCEL_ACTIVITY = "RequestCancelActivityExecution";
    DELETE = "DeleteWorkflowExecution";
    DELETE_ACTIVITY = "DeleteActivityExecution";
    OPTIONS = "UpdateWorkflowExecutionOptions";
    RESET = "ResetWorkflowExecution";
    RESET_ACTIVITY = "ResetActivity";
    SIGNAL = "SignalWorkflowExecution";
    START = "StartWorkflowExecution";
    TERMINATE = "TerminateWorkflowExecution";
    TERMINATE_ACTIVITY = "TerminateActivityExecution";
    UNPAUSE = "UnpauseActivity";
    UPDATE = "UpdateWorkflowExecution";
    UPDATE_ACTIVITY = "UpdateActivityOptions";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_a_method() {
        for name in ALL {
            assert!(authz::method(name).is_some(), "{name}");
        }
    }
}
