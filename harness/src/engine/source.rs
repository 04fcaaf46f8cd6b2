//! Where a case is written, for reports that point there.

use std::fs;
use std::path::Path;

/// `file:line` of the function `name`, or only the file when its text is not at hand.
pub(super) fn of(file: &str, name: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let text = here.ancestors().find_map(|folder| fs::read_to_string(folder.join(Path::new(file))).ok());
    match text.and_then(|text| line_of(&text, name)) {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

fn line_of(text: &str, name: &str) -> Option<usize> {
    let head = format!("async fn {name}(");
    text.lines().position(|line| line.trim_start().starts_with(&head)).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::{line_of, of};

    #[test]
    fn the_line_is_that_of_the_function() {
        let text = "suite! {\n    a_case, Core;\n}\n\nasync fn a_case(t: &Ctx) -> Verdict {\n";
        assert_eq!(line_of(text, "a_case"), Some(5));
        assert_eq!(line_of(text, "a_cas"), None);
    }

    #[test]
    fn a_file_that_is_not_here_is_named_without_line() {
        assert_eq!(of("suites/src/none.rs", "a_case"), "suites/src/none.rs");
    }
}
