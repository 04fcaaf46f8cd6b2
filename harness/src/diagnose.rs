//! What probably lies behind a red case: rules over what was seen, each with the cause it speaks for.
//!
//! [`diagnose`] is pure: [`Facts`] in, causes out, the likeliest first. [`CAUSES`] explains each cause.

mod catalogue;
mod facts;
pub(crate) mod object;
mod rules;

#[cfg(test)]
mod tests;

use waymark_reports::events::{Cause, Confidence};

use crate::evidence::redact;

pub use catalogue::{CAUSES, CauseEntry, cause};
pub use facts::{Applied, Called, Facts, Failing, Names, Objects, Ztunnel};

/// How many causes a case is given at most.
const MOST: usize = 3;

/// How much of a text from the mesh a sign quotes, in characters.
const QUOTED: usize = 200;

/// Causes that others explain: when one of the latter fires, the former follows from it.
const FOLLOWS: [(&str, &[&str]); 4] = [
    ("WMC-001", &["WMC-002", "WMC-003", "WMC-007", "WMC-011", "WMC-014"]),
    ("WMC-005", &["WMC-013", "WMC-014", "WMC-003"]),
    ("WMC-008", &["WMC-001", "WMC-005", "WMC-012", "WMC-013", "WMC-015"]),
    ("WMC-010", &["WMC-003", "WMC-014"]),
];

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    id: &'static str,
    confidence: Confidence,
    signs: Vec<String>,
    names: Vec<(&'static str, String)>,
}

impl Finding {
    fn new(id: &'static str, confidence: Confidence) -> Self {
        Self { id, confidence, signs: Vec::new(), names: Vec::new() }
    }

    /// Adds what was seen, on one line and clipped.
    fn sign(mut self, sign: impl AsRef<str>) -> Self {
        self.signs.push(quote(sign.as_ref()));
        self
    }

    /// Gives a name for the commands, such as `object`.
    fn name(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.names.push((key, value.into()));
        self
    }
}

/// The causes that these facts speak for, the likeliest first.
#[must_use]
pub fn diagnose(facts: &Facts) -> Vec<Cause> {
    let mut found: Vec<Finding> = rules::ALL.iter().filter_map(|rule| rule(facts)).collect();
    let fired: Vec<_> = found.iter().map(|it| it.id).collect();
    for finding in &mut found {
        let explained =
            FOLLOWS.iter().any(|(id, by)| *id == finding.id && by.iter().any(|by| fired.contains(by)));
        if explained {
            finding.confidence = finding.confidence.min(Confidence::Low);
        }
    }
    // Stable: among equals, the order of the rules.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.confidence));
    found.into_iter().take(MOST).filter_map(|finding| told(finding, facts)).collect()
}

/// The causes that the reason of an error alone speaks for, where no world was ever open.
#[must_use]
pub fn of_reason(reason: &str) -> Vec<Cause> {
    let failure = Failing {
        verdict: waymark_reports::verdict::CaseVerdict::Error,
        reason: reason.to_owned(),
        ..Failing::default()
    };
    diagnose(&Facts { failure, ..Facts::default() })
}

/// The reason of a set-up that failed, with its likeliest cause behind it where its words tell one.
#[must_use]
pub fn hinted(reason: String) -> String {
    match of_reason(&reason).first() {
        Some(Cause { id, title, .. }) => {
            format!("{reason}; likely cause {id} {title}, see `waymark explain {id}`")
        }
        None => reason,
    }
}

fn told(finding: Finding, facts: &Facts) -> Option<Cause> {
    let entry = cause(finding.id)?;
    let next: Vec<_> = entry.next.iter().filter_map(|command| fill(command, &finding.names, facts)).collect();
    Some(Cause {
        id: entry.id.to_owned(),
        title: entry.title.to_owned(),
        confidence: finding.confidence,
        signs: finding.signs,
        // Where no name is known, the command says what is to be filled in.
        next: if next.is_empty() {
            entry.next.iter().take(1).map(|it| (*it).to_owned()).collect()
        } else {
            next
        },
    })
}

/// A command with its names filled in; none when one is not known.
fn fill(command: &str, names: &[(&'static str, String)], facts: &Facts) -> Option<String> {
    let mut filled = String::new();
    let mut rest = command;
    while let Some((before, after)) = rest.split_once('<') {
        let (key, after) = after.split_once('>')?;
        filled.push_str(before);
        filled.push_str(&known(key, names, facts)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

fn known(key: &str, names: &[(&'static str, String)], facts: &Facts) -> Option<String> {
    let given = names.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
    let called = || facts.called();
    let own = || match key {
        "namespace" => called().and_then(|it| it.namespace).or_else(|| Some(facts.names.namespace.clone())),
        "service" => called()?.service,
        "waypoint" => Some(facts.names.waypoint.name.clone()),
        "waypoint-namespace" => Some(facts.names.waypoint.namespace.clone()),
        "waypoint-pod" => facts.waypoint_pods()?.first().map(|pod| object::name(pod).to_owned()),
        "client-namespace" => Some(facts.names.home.clone()),
        _ => None,
    };
    let plain = |value: &String| {
        !value.is_empty()
            && value.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_'))
    };
    // Names come from the mesh too: whatever a shell could take for more than a name is not offered for pasting.
    given.or_else(own).filter(plain)
}

/// Text from the mesh on one line, clipped, without secrets and control characters.
fn quote(text: &str) -> String {
    let text = redact::text(text);
    let line: Vec<_> =
        text.split(|it: char| it.is_whitespace() || it.is_control()).filter(|it| !it.is_empty()).collect();
    let line = line.join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
