//! Tables that commands print.

use std::fmt::Write;

use super::operations::Component;

/// `components list`.
pub(super) fn components(rows: &[Component]) -> String {
    let width = |of: fn(&Component) -> usize, least: usize| rows.iter().map(of).max().unwrap_or(0).max(least);
    let name = width(|row| row.name.len(), 4);
    let version = width(|row| row.version.len(), 7);
    let origin = width(|row| row.origin.len(), 6);
    let mut out = format!("{:<name$}  {:<version$}  {:<origin$}  PATH\n", "PART", "VERSION", "ORIGIN");
    for row in rows {
        let path =
            row.path.as_ref().map_or_else(|| "not here yet".to_owned(), |path| path.display().to_string());
        let _ =
            writeln!(out, "{:<name$}  {:<version$}  {:<origin$}  {path}", row.name, row.version, row.origin);
    }
    out
}
