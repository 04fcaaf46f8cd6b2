//! `events.ndjson`: entries to lines and back.

use crate::events::Entry;

/// An `events.ndjson` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line, not the last, is no event.
    #[error("events line {line} is not an event")]
    NotAnEvent {
        /// From 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// An entry cannot be written as JSON.
    #[error("event {seq} cannot be written as JSON")]
    Unwritable {
        /// Its position.
        seq: u64,
        /// What the writer said.
        source: serde_json::Error,
    },
}

/// One line, with its newline.
///
/// # Errors
/// When the entry cannot be written as JSON.
pub fn line(entry: &Entry) -> Result<String, JournalError> {
    let mut text =
        serde_json::to_string(entry).map_err(|source| JournalError::Unwritable { seq: entry.seq, source })?;
    text.push('\n');
    Ok(text)
}

/// All entries of an `events.ndjson`. A torn last line, which a killed run leaves, is left out.
///
/// # Errors
/// When a line other than the last is not an event.
pub fn parse(text: &str) -> Result<Vec<Entry>, JournalError> {
    let lines: Vec<_> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let mut entries = Vec::with_capacity(lines.len());
    for (position, (index, line)) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if position + 1 == lines.len() && !text.ends_with('\n') => {}
            Err(source) => return Err(JournalError::NotAnEvent { line: index + 1, source }),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::{line, parse};
    use crate::events::{Entry, Event, Note};
    use crate::result::samples;

    #[test]
    fn lines_come_back_as_they_were() {
        let entries = samples::finished_run();
        let text: String = entries.iter().map(|entry| line(entry).unwrap()).collect();
        insta::assert_snapshot!(text);
        assert_eq!(parse(&text).unwrap(), entries);
    }

    #[test]
    fn unknown_types_and_fields_are_ignored() {
        let text = "{\"v\":1,\"seq\":1,\"ts\":\"2026-11-25T09:00:00Z\",\"run\":\"r\",\"type\":\"later\",\"x\":1}\n\
                    {\"v\":1,\"seq\":2,\"ts\":\"2026-11-25T09:00:00Z\",\"run\":\"r\",\"type\":\"note\",\"text\":\"hi\",\"x\":1}\n";
        let events: Vec<Event> = parse(text).unwrap().into_iter().map(|Entry { event, .. }| event).collect();
        assert_eq!(events, [Event::Unknown, Event::Note(Note { text: "hi".into() })]);
    }

    #[test]
    fn a_torn_last_line_is_left_out_but_no_other() {
        let entries = samples::finished_run();
        let whole = line(&entries[0]).unwrap();
        assert_eq!(parse(&format!("{whole}{{\"v\":1,\"se")).unwrap(), entries[..1]);
        assert_eq!(
            parse(&format!("{{\"v\":1\n{whole}")).unwrap_err().to_string(),
            "events line 1 is not an event"
        );
    }
}
