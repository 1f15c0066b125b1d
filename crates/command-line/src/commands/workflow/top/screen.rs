//! The screen as lines.

use unicode_width::UnicodeWidthChar as _;

use super::state::{Detail, Row, Sort, Top, Typing};
use crate::{
    columns,
    context::Context,
    paint::{Paint, paint_of},
    values::camel,
};

/// Lines around a list.
const AROUND: usize = 5;

const LIST_KEYS: &str =
    "↑↓ select  Enter open  s sort  r reverse  / filter  : query  ? help  q quit";
const DETAIL_KEYS: &str = "↑↓ scroll  Esc back  space look  ? help";

const HELP: &[&str] = &[
    "  ↑ ↓ j k       select a workflow, or scroll",
    "  PgUp PgDn     a page at a time",
    "  g G           to the first, to the last",
    "  Enter         open the workflow: its state, pending work, last events",
    "  Esc           back; take the filter away",
    "  s             sort by start, id, type, status, length of the history",
    "  r             turn the order round",
    "  /             show only rows with a text",
    "  :             ask the server for another list filter",
    "  space         look at once",
    "  q             quit",
];

/// A line: pieces of text with their colours, and whether it stands out as a whole.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) pieces: Vec<(String, Paint)>,
    pub(super) stands_out: bool,
}

impl Line {
    fn of(text: impl Into<String>) -> Self {
        Self { pieces: vec![(text.into(), Paint::None)], stands_out: false }
    }

    fn heading(text: impl Into<String>) -> Self {
        Self { pieces: vec![(text.into(), Paint::Magenta)], stands_out: false }
    }

    /// Cuts what is wider than the terminal.
    fn cut(mut self, width: usize) -> Self {
        let mut left = width;
        for (text, _) in &mut self.pieces {
            *text = clipped(text, left);
            left = left.saturating_sub(wide(text));
        }
        self
    }
}

/// Draws all.
pub(super) fn draw(top: &Top, context: &Context, (width, height): (usize, usize)) -> Vec<Line> {
    let mut lines = head(top, context);
    let keys = if top.detail.is_some() { DETAIL_KEYS } else { LIST_KEYS };
    let room = height.saturating_sub(AROUND);
    match (&top.detail, top.help) {
        (_, true) => lines.extend(HELP.iter().map(|text| Line::of(*text))),
        (Some(detail), _) => {
            let body = self::detail(detail, context);
            let first = top.scrolled.min(body.len().saturating_sub(room));
            lines.extend(body.into_iter().skip(first).take(room + 1));
        }
        (None, _) => list(&mut lines, top, context, width, room),
    }
    lines.truncate(height.saturating_sub(1));
    while lines.len() + 1 < height {
        lines.push(Line::default());
    }
    lines.push(match (&top.typing, &top.problem) {
        (Some(Typing::Filter(text)), _) => Line::of(format!("/{text}▏")),
        (Some(Typing::Query(text)), _) => Line::of(format!(":{text}▏")),
        (None, Some(problem)) => {
            let problem = problem.lines().map(str::trim).collect::<Vec<_>>().join("; ");
            Line { pieces: vec![(problem, Paint::Red)], stands_out: false }
        }
        (None, None) => Line { pieces: vec![(keys.to_owned(), Paint::Blue)], stands_out: false },
    });
    lines.into_iter().map(|line| line.cut(width)).collect()
}

/// Where this is, and how many workflows there are.
fn head(top: &Top, context: &Context) -> Vec<Line> {
    let settings = &context.settings;
    let title = format!(
        "longtide top   {}   namespace {}   {}",
        settings.address,
        settings.namespace,
        crate::times::iso(context.now()),
    );
    let mut counts = Line::of(format!("{} workflows   ", top.total));
    for (status, count) in &top.counts {
        counts.pieces.push((format!("{status} {count}   "), paint_of(status)));
    }
    let mut asked = String::new();
    if !top.query.is_empty() {
        asked.push_str(&format!("query {}   ", top.query));
    }
    if !top.filter.is_empty() {
        asked.push_str(&format!("filter {}", top.filter));
    }
    vec![Line::heading(title), counts, Line::of(asked)]
}

fn list(lines: &mut Vec<Line>, top: &Top, context: &Context, width: usize, room: usize) {
    let shown = top.shown();
    // What is left of the terminal beside the columns of fixed width.
    let flexible = width.saturating_sub(11 + 16 + 8).max(30);
    let widths = [11, flexible / 2, flexible / 4, flexible / 4, 16, 8];
    let mark = |title: &str, sort: Sort| {
        let arrow = if top.backwards { "▼" } else { "▲" };
        if top.sort == sort { format!("{title} {arrow}") } else { title.to_owned() }
    };
    let titles = [
        mark("Status", Sort::Status),
        mark("WorkflowId", Sort::Id),
        mark("Type", Sort::Type),
        "TaskQueue".to_owned(),
        mark("Started", Sort::Start),
        mark("Events", Sort::Length),
    ];
    let titles = titles.iter().zip(widths).map(|(title, width)| padded(title, width));
    lines.push(Line::heading(titles.collect::<String>()));
    let first = top.selected.saturating_sub(room.saturating_sub(1));
    for (index, row) in shown.into_iter().enumerate().skip(first).take(room) {
        let mut line = row_line(row, context, widths);
        line.stands_out = index == top.selected;
        lines.push(line);
    }
}

fn row_line(row: &Row, context: &Context, widths: [usize; 6]) -> Line {
    let started = row.start.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    let started = started.map(|time| crate::times::relative(time, context.now()));
    let cells = [
        (row.status.clone(), paint_of(&row.status)),
        (row.execution.workflow_id.clone(), Paint::None),
        (row.name.clone(), Paint::None),
        (row.queue.clone(), Paint::None),
        (started.unwrap_or_default(), Paint::None),
        (row.length.to_string(), Paint::None),
    ];
    let pieces = cells.into_iter().zip(widths);
    let pieces = pieces.map(|((text, paint), width)| (padded(&text, width), paint)).collect();
    Line { pieces, stands_out: false }
}

/// A workflow: its state, its pending work, its last events.
fn detail(detail: &Detail, context: &Context) -> Vec<Line> {
    let description = &detail.description;
    let info = description.workflow_execution_info.clone().unwrap_or_default();
    let row = Row::of(&info);
    let mut lines = vec![Line::heading(format!("Workflow {}", detail.execution.workflow_id))];
    lines.push(Line {
        pieces: vec![
            (format!("  {}  ", row.name), Paint::None),
            (row.status.clone(), paint_of(&row.status)),
            (format!("  {} events  {}", row.length, row.queue), Paint::None),
        ],
        stands_out: false,
    });
    lines.push(Line::of(format!("  run {}", detail.execution.run_id)));
    lines.push(Line::heading(format!(
        "Pending activities: {}",
        description.pending_activities.len()
    )));
    for activity in &description.pending_activities {
        let name = activity.activity_type.clone().unwrap_or_default().name;
        let state = activity.state().as_str_name();
        let state = camel(state.strip_prefix("PENDING_ACTIVITY_STATE_").unwrap_or(state));
        let failure =
            activity.last_failure.as_ref().map(|failure| format!("  {}", failure.message));
        lines.push(Line {
            pieces: vec![
                (
                    format!(
                        "  {name} ({})  {state}  attempt {}",
                        activity.activity_id, activity.attempt
                    ),
                    Paint::None,
                ),
                (failure.unwrap_or_default(), Paint::Red),
            ],
            stands_out: false,
        });
    }
    lines.push(Line::heading(format!("Pending children: {}", description.pending_children.len())));
    for child in &description.pending_children {
        lines.push(Line::of(format!("  {} ({})", child.workflow_id, child.workflow_type_name)));
    }
    let operations = &description.pending_nexus_operations;
    if !operations.is_empty() {
        lines.push(Line::heading(format!("Pending Nexus operations: {}", operations.len())));
        for one in operations {
            let text = format!("  {}/{}  attempt {}", one.service, one.operation, one.attempt);
            lines.push(Line::of(text));
        }
    }
    lines.push(Line::heading("Last events"));
    for event in &detail.events {
        let name = event.event_type().as_str_name();
        let name = camel(name.strip_prefix("EVENT_TYPE_").unwrap_or(name));
        let time = context.output.proto_time(event.event_time.as_ref());
        lines.push(Line::of(format!("  {:>5}  {name:<40}  {time}", event.event_id)));
    }
    let memo = info.memo.unwrap_or_default().fields;
    if !memo.is_empty() {
        lines.push(Line::heading("Memo"));
        for (name, payload) in &memo {
            let value = columns::text(&crate::proto_json::value(payload));
            lines.push(Line::of(format!("  {name}: {value}")));
        }
    }
    lines
}

fn wide(text: &str) -> usize {
    text.chars().filter_map(|character| character.width()).sum()
}

/// The beginning of a text that fits, without characters that move the cursor.
fn clipped(text: &str, width: usize) -> String {
    let mut left = width;
    let fits = |character: &char| {
        let needed = character.width().unwrap_or_default();
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    };
    text.chars().filter(|character| !character.is_control()).take_while(fits).collect()
}

/// A text in a column.
fn padded(text: &str, width: usize) -> String {
    let text = clipped(text, width.saturating_sub(1));
    let padding = width.saturating_sub(wide(&text));
    text + &" ".repeat(padding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_their_columns() {
        assert_eq!(padded("abc", 5), "abc  ");
        assert_eq!(padded("abcdef", 4), "abc ");
        assert_eq!(clipped("日本語", 5), "日本");
        assert_eq!(clipped("a\u{1b}[2Jb", 9), "a[2Jb");
    }
}
