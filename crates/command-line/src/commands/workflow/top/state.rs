//! What is on the screen, and what keys do to it.

use api::{
    common::v1::WorkflowExecution, history::v1::HistoryEvent, workflow::v1::WorkflowExecutionInfo,
    workflowservice::v1::DescribeWorkflowExecutionResponse,
};

use crate::values::camel;

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Character(char),
    Enter,
    Escape,
    Erase,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    /// The user wants out, whatever is open.
    Interrupt,
}

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    /// Ask the server at once.
    Look,
    End,
}

/// A workflow of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) execution: WorkflowExecution,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) queue: String,
    pub(super) start: Option<prost_types::Timestamp>,
    pub(super) length: i64,
}

impl Row {
    pub(super) fn of(info: &WorkflowExecutionInfo) -> Self {
        let status = info.status().as_str_name();
        Self {
            execution: info.execution.clone().unwrap_or_default(),
            name: info.r#type.clone().unwrap_or_default().name,
            status: camel(status.strip_prefix("WORKFLOW_EXECUTION_STATUS_").unwrap_or(status)),
            queue: info.task_queue.clone(),
            start: info.start_time,
            length: info.history_length,
        }
    }

    fn holds(&self, text: &str) -> bool {
        [&self.execution.workflow_id, &self.name, &self.status, &self.queue]
            .iter()
            .any(|field| field.to_lowercase().contains(text))
    }
}

/// A workflow by itself.
#[derive(Debug, Clone)]
pub(super) struct Detail {
    pub(super) execution: WorkflowExecution,
    pub(super) description: Box<DescribeWorkflowExecutionResponse>,
    pub(super) events: Vec<HistoryEvent>,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Start,
    Id,
    Type,
    Status,
    Length,
}

const SORTS: [Sort; 5] = [Sort::Start, Sort::Id, Sort::Type, Sort::Status, Sort::Length];

/// What is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typing {
    Filter(String),
    Query(String),
}

/// The whole screen.
#[derive(Debug)]
pub(super) struct Top {
    /// What the server is asked for.
    pub(super) query: String,
    /// What of the answer is shown.
    pub(super) filter: String,
    pub(super) typing: Option<Typing>,
    pub(super) sort: Sort,
    pub(super) backwards: bool,
    rows: Vec<Row>,
    pub(super) counts: Vec<(String, i64)>,
    pub(super) total: i64,
    /// Index in what is shown.
    pub(super) selected: usize,
    pub(super) detail: Option<Detail>,
    /// First line of the detail that is shown.
    pub(super) scrolled: usize,
    pub(super) help: bool,
    pub(super) problem: Option<String>,
}

impl Top {
    pub(super) fn new(query: String) -> Self {
        Self {
            query,
            filter: String::new(),
            typing: None,
            sort: Sort::Start,
            backwards: true,
            rows: Vec::new(),
            counts: Vec::new(),
            total: 0,
            selected: 0,
            detail: None,
            scrolled: 0,
            help: false,
            problem: None,
        }
    }

    /// Takes a new list; the same workflow stays selected.
    pub(super) fn set_rows(&mut self, rows: Vec<Row>) {
        let before = self.shown().get(self.selected).map(|row| row.execution.clone());
        self.rows = rows;
        let shown = self.shown();
        let last = shown.len().saturating_sub(1);
        let place = before.and_then(|it| shown.iter().position(|row| row.execution == it));
        self.selected = place.unwrap_or_else(|| self.selected.min(last));
    }

    /// The rows that are shown, in their order.
    pub(super) fn shown(&self) -> Vec<&Row> {
        let text = self.filter.to_lowercase();
        let mut shown: Vec<&Row> = self.rows.iter().filter(|row| row.holds(&text)).collect();
        let time = |row: &Row| row.start.map(|time| (time.seconds, time.nanos));
        match self.sort {
            Sort::Start => shown.sort_by_key(|row| time(row)),
            Sort::Id => shown.sort_by(|a, b| a.execution.workflow_id.cmp(&b.execution.workflow_id)),
            Sort::Type => shown.sort_by(|a, b| a.name.cmp(&b.name)),
            Sort::Status => shown.sort_by(|a, b| a.status.cmp(&b.status)),
            Sort::Length => shown.sort_by_key(|row| row.length),
        }
        if self.backwards {
            shown.reverse();
        }
        shown
    }

    /// Does what a key says.
    pub(super) fn press(&mut self, key: Key, (_, height): (usize, usize)) -> Wish {
        if key == Key::Interrupt {
            return Wish::End;
        }
        if self.typing.is_some() {
            return self.type_in(key);
        }
        if self.help {
            self.help = false;
            return Wish::Nothing;
        }
        let page = height.saturating_sub(6).max(1);
        let (place, last) = if self.detail.is_some() {
            (&mut self.scrolled, usize::MAX)
        } else {
            let last = self.shown().len().saturating_sub(1);
            (&mut self.selected, last)
        };
        match key {
            Key::Up | Key::Character('k') => *place = place.saturating_sub(1),
            Key::Down | Key::Character('j') => *place = place.saturating_add(1).min(last),
            Key::PageUp => *place = place.saturating_sub(page),
            Key::PageDown => *place = place.saturating_add(page).min(last),
            Key::Home | Key::Character('g') => *place = 0,
            Key::End | Key::Character('G') if last < usize::MAX => *place = last,
            Key::Character('?' | 'h') => self.help = true,
            Key::Character(' ') => return Wish::Look,
            Key::Character('q') | Key::Escape if self.detail.is_some() => {
                self.detail = None;
                return Wish::Look;
            }
            Key::Character('q') => return Wish::End,
            Key::Escape => self.filter.clear(),
            _ if self.detail.is_some() => {}
            Key::Enter => return self.open(),
            Key::Character('s') => self.sort = next(self.sort),
            Key::Character('r') => self.backwards = !self.backwards,
            Key::Character('/') => self.typing = Some(Typing::Filter(self.filter.clone())),
            Key::Character(':') => self.typing = Some(Typing::Query(self.query.clone())),
            _ => {}
        }
        Wish::Nothing
    }

    fn open(&mut self) -> Wish {
        let Some(execution) = self.shown().get(self.selected).map(|row| row.execution.clone())
        else {
            return Wish::Nothing;
        };
        let description = Box::default();
        self.detail = Some(Detail { execution, description, events: Vec::new() });
        self.scrolled = 0;
        Wish::Look
    }

    fn type_in(&mut self, key: Key) -> Wish {
        let Some(typing) = &mut self.typing else { return Wish::Nothing };
        let (Typing::Filter(text) | Typing::Query(text)) = typing;
        match key {
            Key::Character(character) => text.push(character),
            Key::Erase => drop(text.pop()),
            Key::Escape => self.typing = None,
            Key::Enter => {
                let done = self.typing.take();
                self.selected = 0;
                match done {
                    Some(Typing::Query(query)) => {
                        self.query = query;
                        return Wish::Look;
                    }
                    Some(Typing::Filter(filter)) => self.filter = filter,
                    None => {}
                }
            }
            _ => {}
        }
        // A filter shows at once what it does.
        if let Some(Typing::Filter(text)) = &self.typing {
            self.filter.clone_from(text);
            self.selected = 0;
        }
        Wish::Nothing
    }
}

fn next(sort: Sort) -> Sort {
    let place = SORTS.iter().position(|one| *one == sort).unwrap_or_default();
    SORTS.get((place + 1) % SORTS.len()).copied().unwrap_or(sort)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (80, 24);

    fn top() -> Top {
        let row = |id: &str, status: &str, start| Row {
            execution: WorkflowExecution { workflow_id: id.to_owned(), run_id: id.to_owned() },
            name: "Kind".to_owned(),
            status: status.to_owned(),
            queue: "queue".to_owned(),
            start: Some(prost_types::Timestamp { seconds: start, nanos: 0 }),
            length: start,
        };
        let mut top = Top::new(String::new());
        top.set_rows(vec![row("b", "Running", 1), row("a", "Failed", 3), row("c", "Running", 2)]);
        top
    }

    fn ids(top: &Top) -> String {
        top.shown().iter().map(|row| row.execution.workflow_id.as_str()).collect()
    }

    fn press(top: &mut Top, text: &str) -> Wish {
        let press = |top: &mut Top, character| top.press(Key::Character(character), SIZE);
        text.chars().map(|character| press(top, character)).last().unwrap()
    }

    #[test]
    fn the_newest_come_first_until_told_otherwise() {
        let mut top = top();
        assert_eq!(ids(&top), "acb");
        press(&mut top, "s");
        assert_eq!(ids(&top), "cba");
        press(&mut top, "r");
        assert_eq!(ids(&top), "abc");
    }

    #[test]
    fn a_filter_is_typed_and_taken_back() {
        let mut top = top();
        press(&mut top, "/run");
        assert_eq!(ids(&top), "cb");
        assert_eq!(top.press(Key::Enter, SIZE), Wish::Nothing);
        assert_eq!((top.typing.clone(), ids(&top).as_str()), (None, "cb"));
        top.press(Key::Escape, SIZE);
        assert_eq!(ids(&top), "acb");
    }

    #[test]
    fn a_query_is_asked_when_it_is_complete() {
        let mut top = top();
        assert_eq!(press(&mut top, ":x=q"), Wish::Nothing);
        top.press(Key::Erase, SIZE);
        assert_eq!(top.press(Key::Enter, SIZE), Wish::Look);
        assert_eq!(top.query, "x=");
    }

    #[test]
    fn a_workflow_is_opened_and_closed() {
        let mut top = top();
        top.press(Key::Down, SIZE);
        assert_eq!(top.press(Key::Enter, SIZE), Wish::Look);
        assert_eq!(top.detail.as_ref().unwrap().execution.workflow_id, "c");
        assert_eq!(press(&mut top, "q"), Wish::Look);
        assert!(top.detail.is_none());
        assert_eq!(press(&mut top, "q"), Wish::End);
    }

    #[test]
    fn the_same_workflow_stays_selected() {
        let mut top = top();
        top.press(Key::Down, SIZE);
        let rows = top.shown().into_iter().filter(|row| row.execution.workflow_id != "a");
        let rows = rows.cloned().collect();
        top.set_rows(rows);
        assert_eq!(top.shown()[top.selected].execution.workflow_id, "c");
        top.set_rows(Vec::new());
        assert_eq!(top.selected, 0);
        assert_eq!(top.press(Key::Enter, SIZE), Wish::Nothing);
    }
}
