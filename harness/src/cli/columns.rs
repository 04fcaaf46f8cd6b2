//! Columns of text that commands print: as wide as their widest cell, two spaces apart, the last one ragged.

use std::fmt::Write;

/// Rows under a heading; cells beyond the heading are not shown.
pub(super) fn columns(heading: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = heading
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(title.chars().count())
        })
        .collect();
    let mut out = String::new();
    let heading: Vec<String> = heading.iter().map(|&title| title.to_owned()).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let width = *width;
            let _ = write!(line, "{cell:<width$}  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn the_widest_cell_decides() {
        let rows = [vec!["routing".to_owned(), "é".to_owned()], vec!["x".to_owned(), "–".to_owned()]];
        assert_eq!(columns(&["A", "BB"], &rows), "A        BB\nrouting  é\nx        –\n");
    }
}
