//! What came of something that runs without a workflow.

use api::failure::v1::Failure;
use serde_json::{Map, Value};

use super::workflow::failure_text;
use crate::{
    context::Context,
    error::{Error, Result},
    paint::Paint,
};

/// A result, as data and as text.
pub(crate) struct Completed {
    pub(crate) data: Value,
    pub(crate) text: String,
}

/// Prints an outcome; as data it stands beside what `object` tells. A failure is an error, too, whose
/// text is `failed`.
pub(crate) fn print(
    context: &mut Context,
    mut object: Map<String, Value>,
    outcome: std::result::Result<Completed, &Failure>,
    failed: &str,
) -> Result {
    let (status, paint) = match outcome {
        Ok(_) => ("COMPLETED", Paint::Green),
        Err(_) => ("FAILED", Paint::Red),
    };
    if context.output.is_data() {
        object.insert("status".to_owned(), status.into());
        match &outcome {
            Ok(completed) => object.insert("result".to_owned(), completed.data.clone()),
            Err(failure) => object.insert("failure".to_owned(), context.json(*failure)?),
        };
        context.output.data(&Value::Object(object))?;
    } else {
        let what = match &outcome {
            Ok(completed) => ("Result", completed.text.clone()),
            Err(failure) => ("Failure", failure_text(Some(failure))),
        };
        let status = context.output.paint(status, paint);
        context.output.heading("Results:")?;
        context.output.card(&[("Status", status), what])?;
    }
    match outcome {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Outcome(failed.to_owned())),
    }
}
