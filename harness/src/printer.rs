//! What the command line prints, and the only place that prints it.
//!
//! Results go to stdout, progress and errors to stderr. [`Screen`] turns the events of a run into a live bar on
//! a terminal, and into one line an event elsewhere.

use std::env;
use std::io::{self, IsTerminal};

use waymark_reports::text::Style;

mod glyphs;
mod harmless;
mod live;
mod output;
mod screen;

pub use glyphs::Glyphs;
pub use output::lost;
pub use screen::{Around, Mode, Screen};

/// When to write colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output and standard error with their colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console {
    colour: Colour,
    silent: bool,
    glyphs: Glyphs,
}

impl Console {
    /// A console with colours as the user chose.
    pub const fn new(colour: Colour) -> Self {
        Self { colour, silent: false, glyphs: Glyphs::Unicode }
    }

    /// A console that writes nothing, to measure what it costs to make the text.
    pub const fn silent() -> Self {
        Self { colour: Colour::Never, silent: true, glyphs: Glyphs::Unicode }
    }

    /// The same with the characters that the user chose.
    #[must_use]
    pub fn with_glyphs(self, glyphs: Glyphs) -> Self {
        Self { glyphs: glyphs.decided(), ..self }
    }

    /// The characters that may be written.
    #[must_use]
    pub const fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    /// Writes text for people to stdout, as whole lines. What cannot be written is [`lost`], but for a reader that
    /// went away.
    pub fn out(&self, text: &str) {
        if !self.silent {
            output::to_stdout(&self.written(text));
        }
    }

    /// Writes a document to stdout, byte for byte: what is in it is escaped as its format has it.
    pub fn document(&self, text: &str) {
        if !self.silent {
            output::to_stdout(text);
        }
    }

    /// Writes to stderr.
    pub fn err(&self, text: &str) {
        if !self.silent {
            output::to_stderr(&self.written(text));
        }
    }

    fn written(&self, text: &str) -> String {
        let mut written = self.glyphs.plain(&harmless::harmless(text, self.style().colour));
        if !written.ends_with('\n') {
            written.push('\n');
        }
        written
    }

    /// Colours for stdout.
    pub fn style(&self) -> Style {
        Style { colour: coloured(self.colour, |name| env::var(name).ok(), io::stdout().is_terminal()) }
    }

    /// Whether someone watches: both outputs are a terminal that can redraw.
    pub fn is_watched(&self) -> bool {
        let dumb = env::var("TERM").is_ok_and(|term| term == "dumb") || env::var_os("CI").is_some();
        !dumb && io::stdout().is_terminal() && io::stderr().is_terminal()
    }
}

/// First match wins: the flag, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, TERM=dumb, a terminal.
fn coloured(choice: Colour, var: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name| var(name).is_some_and(|value| !value.is_empty());
    let forced = |name| var(name).is_some_and(|value| !value.is_empty() && value != "0");
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if set("NO_COLOR") => false,
        Colour::Auto if forced("FORCE_COLOR") || forced("CLICOLOR_FORCE") => true,
        Colour::Auto => terminal && var("TERM").is_none_or(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Colour, coloured};

    #[rstest]
    #[case::terminal(Colour::Auto, &[], true, true)]
    #[case::pipe(Colour::Auto, &[], false, false)]
    #[case::flag_beats_all(Colour::Always, &[("NO_COLOR", "1")], false, true)]
    #[case::never(Colour::Never, &[("FORCE_COLOR", "1")], true, false)]
    #[case::no_color(Colour::Auto, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], true, false)]
    #[case::empty_no_color_is_none(Colour::Auto, &[("NO_COLOR", "")], true, true)]
    #[case::forced(Colour::Auto, &[("CLICOLOR_FORCE", "1")], false, true)]
    #[case::dumb(Colour::Auto, &[("TERM", "dumb")], true, false)]
    fn colours_are_decided_in_order(
        #[case] choice: Colour,
        #[case] vars: &[(&str, &str)],
        #[case] terminal: bool,
        #[case] want: bool,
    ) {
        let var =
            |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(coloured(choice, var, terminal), want);
    }
}
