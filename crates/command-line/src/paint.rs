//! Colours of the terminal.

/// A colour of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    None,
}

impl Paint {
    /// The text in this colour.
    pub(crate) fn on(self, text: &str) -> String {
        let code = match self {
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Blue => 34,
            Self::Magenta => 35,
            Self::None => return text.to_owned(),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The colour of a status.
pub(crate) fn paint_of(status: &str) -> Paint {
    match status {
        "Completed" => Paint::Green,
        "Failed" | "Terminated" => Paint::Red,
        "TimedOut" => Paint::Yellow,
        "Canceled" | "Paused" => Paint::Magenta,
        "Running" => Paint::Blue,
        _ => Paint::None,
    }
}
