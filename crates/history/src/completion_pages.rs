//! Answers to workflow tasks that are too large for one request.
//!
//! A worker sends the commands of such an answer in pages. All but the last are kept here until the
//! last one comes; nothing of them is stored. They are lost with the server, when the task ends, and
//! when memory is short: then the worker is told to send all of them again.

use std::{collections::BTreeMap, sync::Arc};

use api::command::v1::Command;
use authz::Permit;
use engine::{HeldWorkflowTask, Rejection, held_workflow_task};
use model::{RunId, Time};
use parking_lot::Mutex;

use crate::{History, HistoryError, RunKey, node::Node};

/// Most pages of one answer, as in the reference.
const PAGES_MAX: i32 = 1024;

/// Most bytes of the kept pages of one answer (40 MiB), as in the reference.
pub const COMPLETION_BYTES_MAX: usize = 40 * 1024 * 1024;

/// Most bytes of all pages that are kept (256 MiB).
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What became of a page that more are to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptPage {
    /// It waits for the last one.
    Kept,
    /// The answer has grown too large, and all of it is dropped: it cannot be taken.
    TooLarge,
}

/// The pages of a node.
#[derive(Debug, Default)]
pub(crate) struct CompletionPages {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_run: BTreeMap<RunId, Answer>,
    bytes: usize,
}

/// The pages of one answer.
#[derive(Debug)]
struct Answer {
    task: HeldWorkflowTask,
    /// When the worker's time for the task is over.
    expires: Time,
    pages: BTreeMap<i32, Vec<Command>>,
    bytes: usize,
}

impl History {
    /// Keeps a page of an answer that is not its last one. A page that is there already is left as
    /// it is.
    ///
    /// # Errors
    /// When the worker does not hold the task any more, the page is none, or there is no room.
    pub async fn keep_completion_page(
        &self,
        _permit: &Permit,
        run: &RunKey,
        task: &HeldWorkflowTask,
        page_number: i32,
        commands: Vec<Command>,
    ) -> Result<KeptPage, HistoryError> {
        check_number(page_number)?;
        if commands.is_empty() {
            let text = "intermediate workflow task page must carry at least one command";
            return Err(Rejection::invalid(text).into());
        }
        let expires = {
            let mut slot = self.lock(run.slot()).await?;
            self.node.find_run(&mut slot, &run.workflow, Some(run.run_id)).await?;
            let cached = slot.runs.get(&run.run_id).ok_or(Rejection::WorkflowTaskNotFound)?;
            let held = held_workflow_task(&cached.head, task)?;
            held.started_time + held.start_to_close_timeout
        };
        let page = Page { number: page_number, commands };
        let now = self.node.now();
        let kept = self.node.completion_pages.keep(run.run_id, task, expires, page, now)?;
        if page_number == 0 && kept == KeptPage::Kept {
            self.node.tracker.spawn(Arc::clone(&self.node).drop_completion_pages(expires));
        }
        Ok(kept)
    }

    /// Takes the pages that came before the last one, in order.
    ///
    /// # Errors
    /// When one of them is not there: the worker is to send all of them again.
    pub fn take_completion_pages(
        &self,
        _permit: &Permit,
        run: &RunKey,
        task: &HeldWorkflowTask,
        last_page_number: i32,
    ) -> Result<Vec<Command>, HistoryError> {
        check_number(last_page_number)?;
        self.node.completion_pages.take(run.run_id, task, last_page_number)
    }
}

impl Node {
    /// Drops what a worker never completed, once its time is over.
    async fn drop_completion_pages(self: Arc<Self>, expires: Time) {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => {}
            () = self.environment.clock.sleep_until(expires) => {
                self.completion_pages.held.lock().drop_expired(self.now());
            }
        }
    }
}

struct Page {
    number: i32,
    commands: Vec<Command>,
}

fn check_number(page_number: i32) -> Result<(), HistoryError> {
    if page_number < 0 {
        let text = "workflow task completion pagination page number must be non-negative";
        return Err(Rejection::invalid(text).into());
    }
    if page_number >= PAGES_MAX {
        let text =
            format!("workflow task completion pagination supports at most {PAGES_MAX} pages");
        return Err(Rejection::InvalidArgument(text).into());
    }
    Ok(())
}

impl CompletionPages {
    fn keep(
        &self,
        run_id: RunId,
        task: &HeldWorkflowTask,
        expires: Time,
        page: Page,
        now: Time,
    ) -> Result<KeptPage, HistoryError> {
        let mut held = self.held.lock();
        held.drop_expired(now);
        if held.by_run.get(&run_id).is_some_and(|answer| answer.task != *task) {
            held.drop_answer(run_id);
        }
        let bytes: usize = page.commands.iter().map(prost::Message::encoded_len).sum();
        let before = held.by_run.get(&run_id);
        if before.is_some_and(|answer| answer.pages.contains_key(&page.number)) {
            return Ok(KeptPage::Kept);
        }
        if before.map_or(0, |answer| answer.bytes) + bytes > COMPLETION_BYTES_MAX {
            held.drop_answer(run_id);
            return Ok(KeptPage::TooLarge);
        }
        if held.bytes + bytes > HELD_BYTES_MAX {
            held.drop_answer(run_id);
            return Err(HistoryError::CompletionPagesLost(format!(
                "workflow task completion buffer memory limit reached while buffering page {}",
                page.number
            )));
        }
        held.bytes += bytes;
        let answer = held.by_run.entry(run_id).or_insert_with(|| Answer {
            task: task.clone(),
            expires,
            pages: BTreeMap::new(),
            bytes: 0,
        });
        answer.bytes += bytes;
        answer.pages.insert(page.number, page.commands);
        Ok(KeptPage::Kept)
    }

    fn take(
        &self,
        run_id: RunId,
        task: &HeldWorkflowTask,
        last_page_number: i32,
    ) -> Result<Vec<Command>, HistoryError> {
        let answer = self.held.lock().drop_answer(run_id);
        let Some(mut answer) = answer.filter(|answer| answer.task == *task) else {
            return Err(HistoryError::CompletionPagesLost(format!(
                "workflow task completion buffer lost for scheduled event {} attempt {}",
                task.scheduled_event_id, task.attempt
            )));
        };
        let mut commands = Vec::new();
        for number in 0..last_page_number {
            let Some(mut page) = answer.pages.remove(&number) else {
                return Err(HistoryError::CompletionPagesLost(format!(
                    "workflow task completion buffer missing page {number} of {last_page_number}"
                )));
            };
            commands.append(&mut page);
        }
        Ok(commands)
    }
}

impl Held {
    fn drop_answer(&mut self, run_id: RunId) -> Option<Answer> {
        let answer = self.by_run.remove(&run_id)?;
        self.bytes -= answer.bytes;
        Some(answer)
    }

    /// Answers whose time is over are never completed.
    fn drop_expired(&mut self, now: Time) {
        let bytes = &mut self.bytes;
        self.by_run.retain(|_, answer| {
            let lives = now < answer.expires;
            if !lives {
                *bytes -= answer.bytes;
            }
            lives
        });
    }
}

#[cfg(test)]
mod tests {
    use api::enums::v1::CommandType;

    use super::*;

    const NOW: Time = Time::from_nanos(10);
    const LATER: Time = Time::from_nanos(20);

    fn task(attempt: i32) -> HeldWorkflowTask {
        HeldWorkflowTask {
            scheduled_event_id: 2,
            started_event_id: 3,
            attempt,
            ..Default::default()
        }
    }

    fn run() -> RunId {
        RunId::from_bytes([1; 16])
    }

    fn page(number: i32, kind: CommandType) -> Page {
        let command = Command { command_type: kind as i32, ..Command::default() };
        Page { number, commands: vec![command] }
    }

    fn types(commands: &[Command]) -> Vec<CommandType> {
        commands.iter().map(Command::command_type).collect()
    }

    #[test]
    fn pages_are_joined_in_their_order_and_only_once() {
        let pages = CompletionPages::default();
        for (number, kind) in [
            (1, CommandType::StartTimer),
            (0, CommandType::RecordMarker),
            (0, CommandType::StartTimer),
        ] {
            let kept = pages.keep(run(), &task(1), LATER, page(number, kind), NOW);
            assert!(matches!(kept, Ok(KeptPage::Kept)));
        }
        let joined = pages.take(run(), &task(1), 2).unwrap();
        assert_eq!(types(&joined), [CommandType::RecordMarker, CommandType::StartTimer]);
        assert!(matches!(
            pages.take(run(), &task(1), 2),
            Err(HistoryError::CompletionPagesLost(text)) if text.contains("event 2 attempt 1")
        ));
        assert_eq!(pages.held.lock().bytes, 0);
    }

    #[test]
    fn pages_of_another_attempt_and_answers_with_a_gap_are_lost() {
        let pages = CompletionPages::default();
        pages.keep(run(), &task(1), LATER, page(0, CommandType::StartTimer), NOW).unwrap();
        pages.keep(run(), &task(2), LATER, page(1, CommandType::StartTimer), NOW).unwrap();
        assert!(matches!(
            pages.take(run(), &task(2), 2),
            Err(HistoryError::CompletionPagesLost(text)) if text.ends_with("missing page 0 of 2")
        ));
        pages.keep(run(), &task(2), LATER, page(0, CommandType::StartTimer), NOW).unwrap();
        let other = RunId::from_bytes([2; 16]);
        pages.keep(other, &task(1), Time::MAX, page(0, CommandType::StartTimer), LATER).unwrap();
        assert!(pages.take(run(), &task(2), 1).is_err(), "its time was over");
        assert!(pages.take(other, &task(1), 1).is_ok());
        assert_eq!(pages.held.lock().bytes, 0);
    }

    #[test]
    fn an_answer_that_grows_too_large_is_dropped_as_a_whole() {
        let pages = CompletionPages::default();
        let large = |number| {
            let mut page = page(number, CommandType::RecordMarker);
            let text = "x".repeat(COMPLETION_BYTES_MAX / 2);
            page.commands[0].user_metadata = Some(api::sdk::v1::UserMetadata {
                summary: Some(api::common::v1::Payload { data: text.into(), ..Default::default() }),
                details: None,
            });
            page
        };
        assert!(matches!(pages.keep(run(), &task(1), LATER, large(0), NOW), Ok(KeptPage::Kept)));
        let second = pages.keep(run(), &task(1), LATER, large(1), NOW);
        assert!(matches!(second, Ok(KeptPage::TooLarge)));
        assert_eq!(pages.held.lock().bytes, 0);
    }
}
