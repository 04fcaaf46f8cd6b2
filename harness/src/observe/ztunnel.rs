//! ztunnel's connection lines: tab-separated head, then `key=value` pairs, values quoted or bare.

use std::collections::BTreeMap;

/// One finished or refused connection, as one ztunnel saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLine {
    /// `connection complete` or `connection failed`.
    pub event: String,
    fields: BTreeMap<String, String>,
}

impl ConnectionLine {
    /// Reads one line; `None` for anything else that ztunnel logs.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let event =
            ["connection complete", "connection failed"].into_iter().find(|event| line.contains(event))?;
        let (_, rest) = line.split_once(event)?;
        line.contains("\taccess\t").then(|| Self { event: event.to_owned(), fields: pairs(rest.trim()) })
    }

    /// The value of a field, such as `src.identity`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(String::as_str)
    }

    /// Whether this is the side of the connection's destination.
    #[must_use]
    pub fn inbound(&self) -> bool {
        self.get("direction") == Some("inbound")
    }

    /// Whether a policy refused the connection.
    #[must_use]
    pub fn policy_rejection(&self) -> bool {
        self.get("error").is_some_and(|error| error.contains("policy rejection"))
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, after) = after.split_once(' ').unwrap_or((after, ""));
                (value.to_owned(), after)
            }
        };
        pairs.insert(key.trim().to_owned(), value);
        rest = after.trim_start();
    }
    pairs
}

/// The text up to the closing quote, without escapes, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &text[at + 1..]),
            _ => {
                escaped = false;
                value.push(letter);
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENIED: &str = "2026-08-27T09:10:11.123456Z\terror\taccess\tconnection complete\tsrc.addr=10.1.1.2:43210 \
        src.workload=\"client-a-1\" src.namespace=\"wm-1-client\" \
        src.identity=\"spiffe://cluster.local/ns/wm-1-client/sa/client-a\" dst.addr=10.1.1.3:15008 \
        dst.hbone_addr=10.1.1.3:8080 dst.workload=\"echo-v1-1\" direction=\"inbound\" bytes_sent=0 bytes_recv=0 \
        duration=\"0ms\" error=\"connection closed due to policy rejection: explicitly denied by: wm-1-ns/no-b\"";

    #[test]
    fn a_refused_connection_says_who_and_why() {
        let line = ConnectionLine::parse(DENIED).unwrap();
        assert_eq!(line.get("src.identity"), Some("spiffe://cluster.local/ns/wm-1-client/sa/client-a"));
        assert_eq!(line.get("src.addr"), Some("10.1.1.2:43210"));
        assert!(line.inbound() && line.policy_rejection());
    }

    #[test]
    fn a_complete_connection_is_no_rejection() {
        let fine = DENIED.split(" error=").next().unwrap();
        let line = ConnectionLine::parse(fine).unwrap();
        assert!(line.inbound() && !line.policy_rejection());
        assert_eq!(line.get("duration"), Some("0ms"));
    }

    #[test]
    fn quotes_inside_of_a_value_do_not_end_it() {
        let line = ConnectionLine::parse(
            "t\terror\taccess\tconnection failed\terror=\"bad \\\"x\\\" y\" direction=\"inbound\"",
        );
        let line = line.unwrap();
        assert_eq!(line.get("error"), Some("bad \"x\" y"));
        assert!(line.inbound());
    }

    #[test]
    fn other_lines_are_none() {
        assert_eq!(ConnectionLine::parse("2026-08-27T09:10:11Z\tinfo\txds\tstream established"), None);
        assert_eq!(ConnectionLine::parse("2026-08-27T09:10:11Z\tinfo\tother\tconnection complete a=b"), None);
    }
}
