//! Fits evidence into its share: pure functions that say whether something was left out.

use std::fmt::Write;

use serde_json::Value;

/// How deep lists are looked for when JSON must become shorter.
const DEPTH: usize = 8;

/// A log within `most` bytes: lines that do not concern the case go first, then the oldest.
pub(super) fn log(text: &str, most: usize, concerns: impl Fn(&str) -> bool) -> (String, bool) {
    if text.len() <= most {
        return (text.to_owned(), false);
    }
    let kept: Vec<&str> = text.lines().filter(|line| concerns(line)).collect();
    let kept = if kept.is_empty() { text.lines().collect() } else { kept };
    let note = |left: usize| format!("… {left} lines left out\n");
    let all = text.lines().count();
    let mut room = most.saturating_sub(note(all).len());
    let newest = kept.iter().rev().take_while(|line| {
        let fits = line.len() < room;
        room = room.saturating_sub(line.len() + 1);
        fits
    });
    let lines = newest.count();
    let mut out = note(all - lines);
    for line in &kept[kept.len() - lines..] {
        let _ = writeln!(out, "{line}");
    }
    (out, true)
}

/// JSON within `most` bytes: the longest list loses its first half until it fits, and says how much is gone. What
/// has no lists left to shorten is cut as text.
pub(super) fn json(mut value: Value, most: usize) -> (Vec<u8>, bool) {
    let mut cut = false;
    loop {
        let bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
        if bytes.len() <= most {
            return (bytes, cut);
        }
        cut = true;
        let Some(items) = longest(&mut value, DEPTH) else {
            let text = String::from_utf8_lossy(&bytes);
            let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            return (text[..end].to_owned().into_bytes(), true);
        };
        let gone = items.len().div_ceil(2);
        items.drain(..gone);
        items.insert(0, Value::String(format!("… {gone} left out")));
    }
}

/// The list of at least four that is the largest as text.
fn longest(value: &mut Value, depth: usize) -> Option<&mut Vec<Value>> {
    let path = weigh(value, depth)?.1;
    value.pointer_mut(&path)?.as_array_mut()
}

fn weigh(value: &Value, depth: usize) -> Option<(usize, String)> {
    if depth == 0 {
        return None;
    }
    let below = |key: String, value: &Value| {
        weigh(value, depth - 1).map(|(size, path)| (size, format!("/{key}{path}")))
    };
    match value {
        Value::Array(items) => {
            let own = (items.len() >= 4).then(|| (size(value), String::new()));
            let inner = items.iter().enumerate().filter_map(|(at, item)| below(at.to_string(), item));
            // A list is worth more than what is in it only when no single item makes up most of it.
            let inner = inner.max_by_key(|(size, _)| *size);
            match (own, inner) {
                (Some(own), Some(inner)) => Some(if inner.0 * 2 > own.0 { inner } else { own }),
                (own, inner) => own.or(inner),
            }
        }
        Value::Object(fields) => {
            let inner = fields.iter().filter_map(|(key, value)| below(escape(key), value));
            inner.max_by_key(|(size, _)| *size)
        }
        _ => None,
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + size(value)).sum::<usize>() + 2,
        Value::String(text) => text.len() + 2,
        _ => 5,
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_that_fits_is_whole() {
        assert_eq!(log("a\nb\n", 100, |_| false), ("a\nb\n".to_owned(), false));
    }

    #[test]
    fn a_log_that_does_not_fit_keeps_what_concerns_the_case_and_is_newest() {
        let text: String = (0..1000).map(|n| format!("line {n} of {}\n", n % 2)).collect();
        let (kept, cut) = log(&text, 100, |line| line.ends_with("of 1"));
        assert!(cut && kept.len() <= 100, "{kept}");
        assert_eq!(
            kept,
            "… 995 lines left out\nline 991 of 1\nline 993 of 1\nline 995 of 1\nline 997 of 1\nline 999 of 1\n"
        );
    }

    #[test]
    fn json_that_does_not_fit_stays_json() {
        let rows: Vec<_> = (0..500).map(|n| json!({"n": n, "text": "x".repeat(50)})).collect();
        let (bytes, cut) = json(json!({"dropped": 0, "rows": rows}), 4000);
        let back: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(cut && bytes.len() <= 4000);
        assert_eq!(back["rows"].as_array().unwrap().last().unwrap()["n"], 499);
        assert!(back["rows"][0].as_str().unwrap().ends_with("left out"));
    }

    #[test]
    fn json_without_lists_is_cut_as_text() {
        let (bytes, cut) = json(json!({"text": "ä".repeat(500)}), 101);
        assert!(cut && bytes.len() <= 101);
        assert!(std::str::from_utf8(&bytes).is_ok());
    }
}
