//! The terminal: its screen and its keys.

use std::io::{self, IsTerminal as _, Write as _};

use termion::{
    event::Key as Pressed,
    input::TermRead as _,
    raw::{IntoRawMode as _, RawTerminal},
    screen::{AlternateScreen, IntoAlternateScreen as _},
};
use tokio::sync::mpsc::{Receiver, channel};

use super::{screen::Line, state::Key};
use crate::{error::Result, paint::Paint};

/// Most keys that wait.
const KEYS_MAX: usize = 64;

/// The size of a terminal that does not say.
const SIZE: (u16, u16) = (80, 24);

/// True when somebody can press keys.
pub(super) fn has_keyboard() -> bool {
    io::stdin().is_terminal()
}

/// A screen of its own; what was there before comes back when it is dropped.
pub(super) struct Terminal {
    screen: AlternateScreen<RawTerminal<io::Stdout>>,
    keys: Receiver<Key>,
}

impl Terminal {
    pub(super) fn open() -> Result<Self> {
        let mut screen = io::stdout().into_raw_mode()?.into_alternate_screen()?;
        write!(screen, "{}", termion::cursor::Hide)?;
        let (send, keys) = channel(KEYS_MAX);
        // Reading keys blocks; the thread ends with the program.
        std::thread::spawn(move || {
            for pressed in io::stdin().keys() {
                let Ok(pressed) = pressed else { return };
                if let Some(key) = key(pressed)
                    && send.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self { screen, keys })
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        let (width, height) = termion::terminal_size().unwrap_or(SIZE);
        (usize::from(width.max(1)), usize::from(height.max(1)))
    }

    /// The next key; none when there will be none.
    pub(super) async fn key(&mut self) -> Option<Key> {
        self.keys.recv().await
    }

    /// Puts lines on the screen.
    pub(super) fn show(&mut self, lines: &[Line]) -> Result {
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let row = u16::try_from(index + 1).unwrap_or(u16::MAX);
            text.push_str(&termion::cursor::Goto(1, row).to_string());
            if line.stands_out {
                text.push_str(termion::style::Invert.as_ref());
            }
            for (piece, paint) in &line.pieces {
                match code(*paint) {
                    Some(code) => text.push_str(&format!("\u{1b}[{code}m{piece}\u{1b}[39m")),
                    None => text.push_str(piece),
                }
            }
            text.push_str(termion::style::Reset.as_ref());
            text.push_str(termion::clear::UntilNewline.as_ref());
        }
        self.screen.write_all(text.as_bytes())?;
        self.screen.flush()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no cursor.
        let _shown = write!(self.screen, "{}", termion::cursor::Show).is_ok();
    }
}

fn code(paint: Paint) -> Option<u8> {
    match paint {
        Paint::Red => Some(31),
        Paint::Green => Some(32),
        Paint::Yellow => Some(33),
        Paint::Blue => Some(34),
        Paint::Magenta => Some(35),
        Paint::None => None,
    }
}

fn key(pressed: Pressed) -> Option<Key> {
    Some(match pressed {
        Pressed::Char('\n' | '\r') => Key::Enter,
        Pressed::Char(character) => Key::Character(character),
        Pressed::Ctrl('c' | 'd') => Key::Interrupt,
        Pressed::Esc => Key::Escape,
        Pressed::Backspace => Key::Erase,
        Pressed::Up => Key::Up,
        Pressed::Down => Key::Down,
        Pressed::PageUp => Key::PageUp,
        Pressed::PageDown => Key::PageDown,
        Pressed::Home => Key::Home,
        Pressed::End => Key::End,
        _ => return None,
    })
}
