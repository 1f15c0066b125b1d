//! What commands print: text for people, or data for programs.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    Surroundings,
    columns::{self, Column, Look},
    error::{Error, Result},
    options::{Color, CommonOptions, Form, TimeForm},
    paint::{Paint, paint_of},
    table::{Cell, Table},
    times,
    values::camel,
};

/// Where results go, and in which form.
pub(crate) struct Output {
    form: Form,
    time_form: TimeForm,
    colour: bool,
    /// Whether a person looks at both outputs.
    watched: bool,
    /// Whether payloads in JSON are the values in them.
    pub(crate) shorthand: bool,
    now: jiff::Timestamp,
    out: BufWriter<Box<dyn Write>>,
    /// Rows of the JSON list that is being printed.
    listed: usize,
    /// The table that is being printed.
    table: Table,
}

impl Output {
    pub(crate) fn new(
        options: &CommonOptions,
        around: &Surroundings,
        now: jiff::Timestamp,
    ) -> Self {
        let colour = match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                around.terminal
                    && around.variable("NO_COLOR").is_none()
                    && around.variable("TERM") != Some("dumb")
            }
        };
        Self {
            form: options.output,
            watched: around.terminal
                && io::stderr().is_terminal()
                && around.variable("TERM") != Some("dumb"),
            time_form: options.time_format,
            colour: colour && matches!(options.output, Form::Text | Form::Table),
            shorthand: !options.no_json_shorthand_payloads,
            now,
            out: BufWriter::new(Box::new(io::stdout())),
            listed: 0,
            table: Table::default(),
        }
    }

    /// True when programs read the output.
    pub(crate) fn is_data(&self) -> bool {
        matches!(self.form, Form::Json | Form::Jsonl | Form::Yaml)
    }

    /// True when people read it.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.form, Form::Text | Form::Table)
    }

    /// True when people may be shown how far long work is: never in pipes, and not beside data.
    pub(crate) fn shows_progress(&self) -> bool {
        self.watched && self.is_text()
    }

    /// Moves the time from which distances are told.
    pub(crate) fn set_now(&mut self, now: jiff::Timestamp) {
        self.now = now;
    }

    /// A line for people.
    pub(crate) fn line(&mut self, text: &str) -> Result {
        if self.is_text() {
            writeln!(self.out, "{text}")?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// A heading for people.
    pub(crate) fn heading(&mut self, text: &str) -> Result {
        let text = self.paint(text, Paint::Magenta);
        self.line(&text)
    }

    /// Text in a colour, if colours are on.
    pub(crate) fn paint(&self, text: &str, paint: Paint) -> String {
        if self.colour { paint.on(text) } else { text.to_owned() }
    }

    /// A value for programs; nothing for people.
    pub(crate) fn data(&mut self, value: &Value) -> Result {
        match self.form {
            Form::Json => {
                serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
                writeln!(self.out)?;
            }
            Form::Jsonl => writeln!(self.out, "{value}")?,
            Form::Yaml => {
                write!(self.out, "{}", yaml(value)?)?;
            }
            Form::Text | Form::Table | Form::None => {}
        }
        self.out.flush()?;
        Ok(())
    }

    /// A value for whoever reads.
    pub(crate) fn value(&mut self, value: &Value) -> Result {
        if self.is_data() { self.data(value) } else { self.fields(value) }
    }

    /// A JSON document, in whatever form results are.
    pub(crate) fn document(&mut self, value: &Value) -> Result {
        if self.form != Form::None {
            writeln!(self.out, "{value:#}")?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// An object for people: a line for each field that is not empty.
    pub(crate) fn fields(&mut self, value: &Value) -> Result {
        let Value::Object(object) = value else { return self.line(&columns::text(value)) };
        let fields: Vec<_> =
            object.iter().map(|(key, value)| (title(key), self.field(value))).collect();
        let fields: Vec<_> =
            fields.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        self.card(&fields)
    }

    fn field(&self, value: &Value) -> String {
        match value {
            Value::String(text) if is_time(text) => self.time(text),
            other => columns::text(other),
        }
    }

    /// Names and values for people; what is empty is left out.
    pub(crate) fn card(&mut self, fields: &[(&str, String)]) -> Result {
        let shown = fields.iter().filter(|(_, value)| !value.is_empty());
        let width = shown.clone().map(|(name, _)| name.width()).max().unwrap_or(0);
        for (name, value) in shown {
            self.line(&format!("  {name:<width$}  {value}"))?;
        }
        Ok(())
    }

    /// Begins a list.
    pub(crate) fn start_list(&mut self) -> Result {
        self.listed = 0;
        self.table = Table::default();
        if self.form == Form::Json {
            write!(self.out, "[")?;
        }
        Ok(())
    }

    /// Prints a part of the list.
    pub(crate) fn rows(&mut self, columns: &[Column], rows: &[Value]) -> Result {
        match self.form {
            Form::Json => {
                for row in rows {
                    let separator = if self.listed == 0 { "\n" } else { ",\n" };
                    write!(self.out, "{separator}")?;
                    serde_json::to_writer_pretty(&mut self.out, row).map_err(io::Error::from)?;
                    self.listed += 1;
                }
            }
            Form::Jsonl => {
                for row in rows {
                    writeln!(self.out, "{row}")?;
                }
            }
            Form::Yaml => {
                for row in rows {
                    let one = Value::Array(vec![row.clone()]);
                    write!(self.out, "{}", yaml(&one)?)?;
                }
            }
            Form::Text | Form::Table => self.table(columns, rows)?,
            Form::None => {}
        }
        self.out.flush()?;
        Ok(())
    }

    /// Ends the list.
    pub(crate) fn end_list(&mut self) -> Result {
        match self.form {
            Form::Json => writeln!(self.out, "\n]")?,
            Form::Table if !self.table.is_empty() => {
                self.draw()?;
                writeln!(self.out, "{}", self.table.end())?;
            }
            _ => {}
        }
        self.out.flush()?;
        Ok(())
    }

    /// A whole list.
    pub(crate) fn list(&mut self, columns: &[Column], rows: &[Value]) -> Result {
        self.start_list()?;
        self.rows(columns, rows)?;
        self.end_list()
    }

    /// A whole list as a table, or as one value for programs.
    pub(crate) fn table_of(&mut self, columns: &[Column], rows: Vec<Value>) -> Result {
        if self.is_data() { self.data(&rows.into()) } else { self.list(columns, &rows) }
    }

    /// Prints lines in the place of those that were printed before, as far as the terminal shows
    /// them; gives back how many they are.
    pub(crate) fn redraw(&mut self, lines: &[String], before: usize) -> Result<usize> {
        if before > 0 {
            write!(self.out, "\u{1b}[{before}F\u{1b}[J")?;
        }
        for line in lines {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()?;
        Ok(lines.len())
    }

    /// A part of a table. A framed one waits for the rest, as its frame is as wide as its widest
    /// rows; one without a frame is printed as it comes.
    fn table(&mut self, columns: &[Column], rows: &[Value]) -> Result {
        let rows = rows.iter().map(|row| columns.iter().map(|column| self.cell(column, row)));
        let rows: Vec<Vec<Cell>> = rows.map(Iterator::collect).collect();
        if rows.is_empty() {
            return Ok(());
        }
        if self.table.is_empty() {
            self.table.begin(columns.iter().map(|column| column.title));
        }
        self.table.gather(rows);
        if !self.framed() || self.table.is_full() { self.draw() } else { Ok(()) }
    }

    /// Prints what has been gathered of the table.
    fn draw(&mut self) -> Result {
        for line in self.table.draw(self.framed(), self.colour) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn framed(&self) -> bool {
        self.form == Form::Table
    }

    fn cell(&self, column: &Column, row: &Value) -> Cell {
        let Some(value) = row.pointer(column.path) else { return (String::new(), Paint::None) };
        match (column.look, value) {
            (Look::Time, Value::String(text)) => (self.time(text), Paint::None),
            (Look::Enumeration(prefix), Value::String(text)) => {
                let short = camel(text.strip_prefix(prefix).unwrap_or(text));
                let paint = paint_of(&short);
                (short, paint)
            }
            (_, value) => (columns::text(value), Paint::None),
        }
    }

    /// A time, which is RFC 3339, as the options want it.
    pub(crate) fn time(&self, text: &str) -> String {
        match (self.time_form, text.parse::<jiff::Timestamp>()) {
            (TimeForm::Raw, _) | (_, Err(_)) => text.to_owned(),
            (TimeForm::Iso, Ok(time)) => times::iso(time),
            (TimeForm::Relative, Ok(time)) => times::relative(time, self.now),
        }
    }

    /// A time of the API as the options want it; nothing for none.
    pub(crate) fn proto_time(&self, time: Option<&prost_types::Timestamp>) -> String {
        let time = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
        time.map_or_else(String::new, |time| self.time(&time.to_string()))
    }

    /// Asks whether to go on.
    pub(crate) fn confirm(&mut self, question: &str, yes: bool) -> Result {
        if yes {
            return self.line(&format!("{question} yes"));
        }
        let answer = self.ask(question)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Error::Outcome("user denied confirmation".to_owned())),
        }
    }

    /// Asks for a name, to be sure.
    pub(crate) fn confirm_by_name(&mut self, question: &str, name: &str, yes: bool) -> Result {
        if yes {
            return self.line(&format!("{question} {name}"));
        }
        if self.ask(question)?.trim() == name {
            return Ok(());
        }
        Err(Error::Outcome("user denied confirmation or mistyped the namespace name".to_owned()))
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        if !self.is_text() {
            return Err(Error::usage("must bypass prompts when using JSON output: add --yes"));
        }
        write!(self.out, "{question} ")?;
        self.out.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer)
    }

    /// Something that people should know beside the result.
    pub(crate) fn warning(&mut self, text: &str) -> Result {
        self.out.flush()?;
        writeln!(io::stderr().lock(), "warning: {text}")?;
        Ok(())
    }

    /// Something that people have to do, beside the result.
    pub(crate) fn notice(&mut self, text: &str) -> Result {
        self.out.flush()?;
        writeln!(io::stderr().lock(), "{text}")?;
        Ok(())
    }

    /// Wipes the terminal's screen, to print the same again.
    pub(crate) fn clear_screen(&mut self) -> Result {
        if io::stdout().is_terminal() {
            write!(self.out, "\u{1b}[2J\u{1b}[H")?;
        }
        Ok(())
    }
}

fn yaml(value: &Value) -> Result<String> {
    serde_norway::to_string(value).map_err(|error| Error::Answer(error.to_string()))
}

/// `workflowId` as `WorkflowId`.
fn title(key: &str) -> String {
    let mut characters = key.chars();
    let first: String =
        characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}

/// True for what looks like RFC 3339.
fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}
