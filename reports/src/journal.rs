//! `events.ndjson`: entries to lines and back.

use serde::Deserialize;

use crate::events::{Entry, VERSION};

/// An `events.ndjson` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file is something else.
    #[error("not a file of events: its first line is no JSON object")]
    NotAFile,
    /// A line, not the last, is no event.
    #[error("events line {line} is not an event: {why}")]
    NotAnEvent {
        /// From 1.
        line: usize,
        /// What the parser said, without a place: to it every line is the first.
        why: String,
    },
    /// A line was written by a newer waymark, whose words may mean something else.
    #[error(
        "events line {line} has schema version {found}, this waymark reads up to {VERSION}; use a newer waymark"
    )]
    Newer {
        /// From 1.
        line: usize,
        /// Its version.
        found: u32,
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
/// When a line other than the last is not an event, or any line is of a newer version.
pub fn parse(text: impl AsRef<[u8]>) -> Result<Vec<Entry>, JournalError> {
    let text = text.as_ref();
    let lines: Vec<_> = text
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .collect();
    let mut entries = Vec::with_capacity(lines.len());
    if lines.first().is_some_and(|(_, line)| !line.trim_ascii_start().starts_with(b"{")) {
        return Err(JournalError::NotAFile);
    }
    for (position, (index, line)) in lines.iter().enumerate() {
        if let Ok(Head { v: found }) = serde_json::from_slice(line)
            && found > VERSION
        {
            return Err(JournalError::Newer { line: index + 1, found });
        }
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if position + 1 == lines.len() && !text.ends_with(b"\n") => {}
            Err(error) => return Err(JournalError::NotAnEvent { line: index + 1, why: placeless(&error) }),
        }
    }
    Ok(entries)
}

fn placeless(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Head {
    v: u32,
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
        assert_eq!(parse(format!("{whole}{{\"v\":1,\"se")).unwrap(), entries[..1]);
        assert_eq!(
            parse(format!("{{\"v\":1\n{whole}")).unwrap_err().to_string(),
            "events line 1 is not an event: EOF while parsing an object"
        );
    }

    #[test]
    fn another_file_is_no_file_of_events() {
        for text in [&b"\x7fELF\x02\x01"[..], b"RUN VERDICT\n", b"\n[]\n"] {
            let error = parse(text).unwrap_err().to_string();
            assert_eq!(error, "not a file of events: its first line is no JSON object");
        }
    }

    #[test]
    fn a_line_torn_within_a_letter_is_left_out_too() {
        let mut text = line(&samples::finished_run()[0]).unwrap().into_bytes();
        text.extend(b"{\"v\":1,\"text\":\"\xe2\x94");
        assert_eq!(parse(&text).unwrap().len(), 1);
    }

    #[test]
    fn a_newer_version_is_refused_by_its_line() {
        let first = line(&samples::finished_run()[0]).unwrap();
        let newer = first.replacen("\"v\":1", "\"v\":2", 1);
        assert_eq!(
            parse(format!("{first}{newer}{first}")).unwrap_err().to_string(),
            "events line 2 has schema version 2, this waymark reads up to 1; use a newer waymark"
        );
    }
}
