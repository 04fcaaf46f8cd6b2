//! What the command line prints, and the only place that prints it.
//!
//! Results go to stdout, progress and errors to stderr. [`Screen`] turns the events of a run into a live bar on
//! a terminal, and into one line an event elsewhere.

use std::env;
use std::io::{self, IsTerminal, Write};

use waymark_reports::text::Style;

mod screen;

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
}

impl Console {
    /// A console with colours as the user chose.
    pub const fn new(colour: Colour) -> Self {
        Self { colour }
    }

    /// Writes to stdout. A reader that went away is not our trouble.
    pub fn out(&self, text: &str) {
        write_all(&mut io::stdout().lock(), text);
    }

    /// Writes to stderr.
    pub fn err(&self, text: &str) {
        write_all(&mut io::stderr().lock(), text);
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

fn write_all(to: &mut dyn Write, text: &str) {
    if cfg!(test) {
        return; // the harness of unit tests captures macros only, and its own output must stay readable
    }
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let _gone = to
        .write_all(text.as_bytes())
        .and_then(|()| to.write_all(newline.as_bytes()))
        .and_then(|()| to.flush());
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
