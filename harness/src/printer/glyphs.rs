//! Marks that a line starts with, and their twins for terminals that know ASCII only.

use std::env;

/// Which characters may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Glyphs {
    /// Unicode where the locale says UTF-8 or says nothing.
    #[default]
    Auto,
    /// Marks and lines beyond ASCII.
    Unicode,
    /// Nothing beyond ASCII.
    Ascii,
}

/// Characters of ours beyond ASCII, and what stands for them.
const TWINS: [(char, &str); 18] = [
    ('√', "ok"),
    ('✓', "ok"),
    ('‼', "!!"),
    ('×', "x"),
    ('✗', "FAIL"),
    ('●', "*"),
    ('·', "-"),
    ('–', "-"),
    ('—', "-"),
    ('─', "-"),
    ('═', "="),
    ('│', "|"),
    ('→', "->"),
    ('…', "..."),
    ('≥', ">="),
    ('≤', "<="),
    ('±', "+-"),
    ('⁻', "-"),
];

impl Glyphs {
    /// What `Auto` means in these surroundings.
    #[must_use]
    pub fn decided(self) -> Self {
        self.decide(|name| env::var(name).ok())
    }

    fn decide(self, var: impl Fn(&str) -> Option<String>) -> Self {
        if self != Self::Auto {
            return self;
        }
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(var).find(|value| !value.is_empty());
        match locale {
            Some(locale) if matches!(locale.as_str(), "C" | "POSIX") => Self::Ascii,
            Some(locale)
                if locale.contains('.') && !locale.to_lowercase().replace('-', "").contains("utf8") =>
            {
                Self::Ascii
            }
            _ => Self::Unicode,
        }
    }

    /// The text in the characters that may be written: as it is, or with twins, and `?` for what has none.
    #[must_use]
    pub fn plain(self, text: &str) -> String {
        if self != Self::Ascii || text.is_ascii() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            match TWINS.iter().find(|(own, _)| *own == letter) {
                _ if letter.is_ascii() => out.push(letter),
                Some((_, twin)) => out.push_str(twin),
                None => out.push('?'),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Glyphs;

    #[rstest]
    #[case(Glyphs::Auto, "", Glyphs::Unicode)]
    #[case(Glyphs::Auto, "C", Glyphs::Ascii)]
    #[case(Glyphs::Auto, "POSIX", Glyphs::Ascii)]
    #[case(Glyphs::Auto, "C.UTF-8", Glyphs::Unicode)]
    #[case(Glyphs::Auto, "de_DE.utf8", Glyphs::Unicode)]
    #[case(Glyphs::Auto, "de_DE.ISO-8859-1", Glyphs::Ascii)]
    #[case(Glyphs::Unicode, "de_DE.ISO-8859-1", Glyphs::Unicode)]
    #[case(Glyphs::Ascii, "C.UTF-8", Glyphs::Ascii)]
    fn the_locale_decides_unless_told(#[case] glyphs: Glyphs, #[case] locale: &str, #[case] want: Glyphs) {
        assert_eq!(glyphs.decide(|name| (name == "LANG").then(|| locale.to_owned())), want);
    }

    #[test]
    fn twins_stand_for_marks() {
        assert_eq!(Glyphs::Ascii.plain("✓ a → b · 10⁻⁶ ü\n"), "ok a -> b - 10-? ?\n");
        assert_eq!(Glyphs::Unicode.plain("✓"), "✓");
    }
}
