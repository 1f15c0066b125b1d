//! Lists, page by page.

use bytes::Bytes;
use clap::Args;
use serde_json::Value;

use crate::{calls::Call, columns::Column, context::Context, error::Result, proto_json};

/// How much of a list is shown.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Limits {
    /// Most rows.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) limit: usize,
    /// Most rows of one answer of the server.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) page_size: i32,
}

impl Limits {
    /// The page size to ask for; 0 leaves it to the server.
    pub(crate) fn page_size(&self) -> i32 {
        let limit = i32::try_from(self.limit).unwrap_or(i32::MAX);
        match (self.limit, self.page_size) {
            (0, size) => size,
            (_, 0) => limit,
            (_, size) => size.min(limit),
        }
    }
}

/// A request of one page.
pub(crate) trait Paged: Call + Clone {
    fn set_token(&mut self, token: Bytes);
    fn token(answer: &Self::Answer) -> &Bytes;
}

macro_rules! paged {
    ($($request:ident)*) => {
        $(impl Paged for api::workflowservice::v1::$request {
            fn set_token(&mut self, token: Bytes) {
                self.next_page_token = token;
            }
            fn token(answer: &Self::Answer) -> &Bytes {
                &answer.next_page_token
            }
        })*
    };
}

paged! {
    ListWorkflowExecutionsRequest ListArchivedWorkflowExecutionsRequest ListSchedulesRequest
    ListBatchOperationsRequest ListNamespacesRequest ListWorkerDeploymentsRequest
    ListWorkersRequest ListActivityExecutionsRequest ListNexusOperationExecutionsRequest
}

macro_rules! paged_operator {
    ($($request:ident)*) => {
        $(impl Paged for api::operatorservice::v1::$request {
            fn set_token(&mut self, token: Bytes) {
                self.next_page_token = token;
            }
            fn token(answer: &Self::Answer) -> &Bytes {
                &answer.next_page_token
            }
        })*
    };
}

paged_operator! { ListNexusEndpointsRequest ListClustersRequest }

/// Where the rows of an answer are, and how they look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The answer's field with the rows.
    pub(crate) field: &'a str,
    pub(crate) columns: &'a [Column],
    /// Whether payloads are the values in them.
    pub(crate) shorthand: bool,
}

/// Prints a list, each page as it comes; gives back the number of rows.
pub(crate) async fn print<Q: Paged>(
    context: &mut Context,
    mut request: Q,
    limit: usize,
    shape: Shape<'_>,
) -> Result<usize> {
    let mut shown = 0;
    let mut started = false;
    loop {
        let answer = context.call(request.clone()).await?;
        if !started {
            context.output.start_list()?;
            started = true;
        }
        let json = proto_json::to_json(&answer, shape.shorthand)?;
        let mut rows: Vec<Value> = crate::context::rows(json, shape.field);
        if limit > 0 {
            rows.truncate(limit - shown);
        }
        shown += rows.len();
        context.output.rows(shape.columns, &rows)?;
        let token = Q::token(&answer).clone();
        if token.is_empty() || (limit > 0 && shown >= limit) {
            context.output.end_list()?;
            return Ok(shown);
        }
        request.set_token(token);
    }
}
