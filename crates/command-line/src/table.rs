//! Tables: rows of cells under headings, each column as wide as its widest cell.

use unicode_width::UnicodeWidthStr as _;

use crate::paint::Paint;

/// Rows that a table in a frame is gathered for before it is drawn. What is wider in later rows
/// stands out of the frame.
const GATHERED_ROWS: usize = 10_000;

/// A text and its colour.
pub(crate) type Cell = (String, Paint);

/// A table that is printed part by part.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Rows that are not drawn yet, the headings first.
    gathered: Vec<Vec<Cell>>,
    widths: Vec<usize>,
    /// Whether its heading is drawn.
    begun: bool,
}

impl Table {
    /// Whether nothing stands in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    /// Gives it its headings.
    pub(crate) fn begin<'a>(&mut self, headings: impl Iterator<Item = &'a str>) {
        let headings: Vec<Cell> = headings.map(|text| (text.to_owned(), Paint::Magenta)).collect();
        self.widths = vec![0; headings.len()];
        self.gathered.push(headings);
    }

    /// Takes rows, to be drawn.
    pub(crate) fn gather(&mut self, rows: Vec<Vec<Cell>>) {
        self.gathered.extend(rows);
    }

    /// Whether it has to be drawn.
    pub(crate) fn is_full(&self) -> bool {
        self.begun || self.gathered.len() > GATHERED_ROWS
    }

    /// The lines of what has been gathered since the last call. Columns only ever become wider,
    /// those in a frame not even that.
    pub(crate) fn draw(&mut self, framed: bool, colour: bool) -> Vec<String> {
        let rows = std::mem::take(&mut self.gathered);
        if !(framed && self.begun) {
            for row in &rows {
                for (width, (text, _)) in self.widths.iter_mut().zip(row) {
                    *width = (*width).max(text.width());
                }
            }
        }
        let mut lines: Vec<String> =
            rows.iter().map(|row| self.line(row, framed, colour)).collect();
        if framed && !self.begun {
            lines.insert(1, self.rule('├', '┼', '┤'));
            lines.insert(0, self.rule('┌', '┬', '┐'));
        }
        self.begun = true;
        lines
    }

    /// The last line of a frame.
    pub(crate) fn end(&self) -> String {
        self.rule('└', '┴', '┘')
    }

    fn line(&self, cells: &[Cell], framed: bool, colour: bool) -> String {
        let mut line = String::from(if framed { "│ " } else { "  " });
        for (index, ((text, paint), width)) in cells.iter().zip(&self.widths).enumerate() {
            let last = index + 1 == cells.len();
            let padding = if last && !framed { 0 } else { width.saturating_sub(text.width()) };
            if colour {
                line.push_str(&paint.on(text));
            } else {
                line.push_str(text);
            }
            line.push_str(&" ".repeat(padding));
            line.push_str(match (framed, last) {
                (true, true) => " │",
                (true, false) => " │ ",
                (false, true) => "",
                (false, false) => "  ",
            });
        }
        line
    }

    fn rule(&self, left: char, middle: char, right: char) -> String {
        let bars: Vec<_> = self.widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}", bars.join(&middle.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(texts: &[&str]) -> Vec<Cell> {
        texts.iter().map(|text| ((*text).to_owned(), Paint::None)).collect()
    }

    fn table() -> Table {
        let mut table = Table::default();
        table.begin(["Id", "Time"].into_iter());
        table.gather(vec![row(&["a", "now"])]);
        table
    }

    #[test]
    fn a_frame_is_as_wide_as_the_widest_of_all_parts() {
        let mut table = table();
        table.gather(vec![row(&["b", "1 second ago"])]);
        let mut lines = table.draw(true, false);
        lines.push(table.end());
        let wanted = [
            "┌────┬──────────────┐",
            "│ Id │ Time         │",
            "├────┼──────────────┤",
            "│ a  │ now          │",
            "│ b  │ 1 second ago │",
            "└────┴──────────────┘",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn without_a_frame_parts_are_drawn_as_they_come() {
        let mut table = table();
        assert_eq!(table.draw(false, false), ["  Id  Time", "  a   now"]);
        table.gather(vec![row(&["longer", "now"])]);
        assert_eq!(table.draw(false, false), ["  longer  now"]);
    }

    #[test]
    fn what_was_drawn_in_a_frame_keeps_its_widths() {
        let mut table = table();
        assert!(!table.is_full());
        table.draw(true, false);
        assert!(table.is_full());
        table.gather(vec![row(&["longer", "now"])]);
        assert_eq!(table.draw(true, false), ["│ longer │ now  │"]);
        assert_eq!(table.end(), "└────┴──────┘");
    }
}
