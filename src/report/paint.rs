//! Colour, where it is wanted: a few roles instead of colours, so that all commands
//! agree on what green means.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::diagnostic::visible;

/// Whether text is coloured. The rim decides, once, from `--color`, `NO_COLOR` and
/// whether there is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// Something that comes into being.
    #[must_use]
    pub fn good(self, text: impl Display) -> String {
        self.styled(AnsiColor::Green.on_default(), &text)
    }

    /// Something that goes.
    #[must_use]
    pub fn bad(self, text: impl Display) -> String {
        self.styled(AnsiColor::Red.on_default(), &text)
    }

    /// Something that changes.
    #[must_use]
    pub fn changed(self, text: impl Display) -> String {
        self.styled(AnsiColor::Yellow.on_default(), &text)
    }

    /// A heading.
    #[must_use]
    pub fn strong(self, text: impl Display) -> String {
        self.styled(Style::new().bold(), &text)
    }

    /// What can be skipped when reading.
    #[must_use]
    pub fn dim(self, text: impl Display) -> String {
        self.styled(Style::new().dimmed(), &text)
    }

    /// `text`, safe for a terminal, in `style` where colour is on.
    fn styled(self, style: Style, text: &dyn Display) -> String {
        let text = text.to_string();
        let text = visible(&text);
        if self.0 { format!("{style}{text}{style:#}") } else { text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Paint;

    #[test]
    fn colour_is_there_only_when_it_is_on_and_escapes_never_are() {
        assert_eq!(Paint(false).good("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(Paint(true).good("a\u{1b}[2J"), "\u{1b}[32ma\\u{1b}[2J\u{1b}[0m");
    }
}
