//! JSON as scripts read it and terminals survive it.

use serde::Serialize;

/// A value as indented JSON that ends with a line end. The controls that JSON allows as they are, U+007F to U+009F, are
/// escaped like the others: some of them steer a terminal.
pub(crate) fn document<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        match letter {
            '\u{7f}'..='\u{9f}' => out.push_str(&format!("\\u{:04x}", u32::from(letter))), // only within strings
            _ => out.push(letter),
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn every_control_is_escaped_and_comes_back() {
        let text = "a\u{1b}[2J\u{7f}\u{9b}2J\u{9f}\u{a0}ü";
        let json = document(&text).unwrap();
        assert_eq!(json, "\"a\\u001b[2J\\u007f\\u009b2J\\u009f\u{a0}ü\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
