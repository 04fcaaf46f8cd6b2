//! A pattern over the full names of cases, as filters and listed deviations use it.

use std::fmt;

use regex::Regex;

/// A pattern over full names: `/re/` is a regular expression, a word with `*` or `?` is a glob over the whole name, and
/// any other word matches the names that contain it.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Part,
    Matches(Regex),
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing would be named by it.
    #[error("an empty pattern")]
    Empty,
    /// The expression between the slashes is wrong.
    #[error("`{0}` is no regular expression: {1}")]
    Expression(String, String),
}

impl Pattern {
    /// Understands a pattern.
    ///
    /// # Errors
    /// An empty word, or an expression that cannot be compiled.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let expression = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let kind = match expression {
            _ if text.is_empty() => return Err(PatternError::Empty),
            Some("") => return Err(PatternError::Empty),
            Some(expression) => Kind::Matches(compile(text, expression)?),
            None if text.contains(['*', '?']) => Kind::Matches(compile(text, &whole(text))?),
            None => Kind::Part,
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// Whether it names this case.
    pub fn names(&self, name: &str) -> bool {
        match &self.kind {
            Kind::Part => name.contains(&self.text),
            Kind::Matches(regex) => regex.is_match(name),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

fn compile(text: &str, expression: &str) -> Result<Regex, PatternError> {
    Regex::new(expression).map_err(|error| {
        let words = error.to_string();
        let last = words.lines().last().unwrap_or_default();
        PatternError::Expression(text.to_owned(), last.trim_start_matches("error: ").to_owned())
    })
}

/// A glob as an expression over the whole name.
fn whole(glob: &str) -> String {
    let mut expression = String::from("^");
    for letter in glob.chars() {
        match letter {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            other => expression.push_str(&regex::escape(&other.to_string())),
        }
    }
    expression.push('$');
    expression
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Pattern;

    #[rstest]
    #[case::part("weights", true)]
    #[case::other_part("header", false)]
    #[case::glob("routing::*::namespace", true)]
    #[case::glob_is_whole("weights*", false)]
    #[case::glob_one_letter("routing::weights_are_kep?::namespace", true)]
    #[case::expression("/^routing::(weights|paths)_/", true)]
    #[case::expression_elsewhere("/^weights/", false)]
    fn names_are_matched(#[case] pattern: &str, #[case] want: bool) {
        assert_eq!(Pattern::parse(pattern).unwrap().names("routing::weights_are_kept::namespace"), want);
    }

    #[rstest]
    #[case("", "an empty pattern")]
    #[case("//", "an empty pattern")]
    #[case("/a(/", "`/a(/` is no regular expression: unclosed group")]
    fn what_is_no_pattern_says_why(#[case] pattern: &str, #[case] want: &str) {
        assert_eq!(Pattern::parse(pattern).unwrap_err().to_string(), want);
    }
}
