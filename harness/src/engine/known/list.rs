//! The list as people write it: TOML, each mistake named by file and line and with the way to mend it.

use std::ops::Range as Bytes;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::range::Range;
use super::{Deviation, Deviations, Outcome};
use crate::case::Scope;
use crate::engine::Trial;
use crate::engine::pattern::Pattern;
use crate::target::TARGETS;

/// What an entry consists of, for those who left something out or wrote something else.
const FIELDS: &str = "an entry has the strings pattern, reason, link, owner, expires and outcome, and may have the strings \
                      scope, target and istio, and quarantine = true";

/// A list of deviations as text, and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The file, as messages name it.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A mistake in the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}; {mend}")]
pub struct ListError {
    /// The file, as messages name it.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    deviation: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pattern: Spanned<String>,
    scope: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    istio: Option<Spanned<String>>,
    reason: Spanned<String>,
    link: Spanned<String>,
    owner: Spanned<String>,
    expires: Spanned<String>,
    outcome: Spanned<String>,
    quarantine: Option<Spanned<bool>>,
}

/// What is wrong, where, and how to mend it.
type Mistake = (Bytes<usize>, String, String);

impl Listed {
    /// Understands the list and holds it against the whole catalogue.
    ///
    /// # Errors
    /// The first mistake: what is no TOML, an unknown or missing field, a bad value, a pattern that names no case, a
    /// quarantined denial, two entries for one trial.
    pub fn read<C>(&self, all: &[Trial<C>], today: Date) -> Result<Deviations, ListError> {
        let document: Document = toml::from_str(&self.text).map_err(|error| {
            let what = error.message().replace('\n', ", ");
            self.error((error.span().unwrap_or_default(), what, FIELDS.to_owned()))
        })?;
        let mut entries: Vec<Arc<Deviation>> = Vec::new();
        for entry in document.deviation {
            let span = entry.span();
            let place = format!("{}:{}", self.file, self.line(span.start));
            let entry =
                understood(entry.into_inner(), place, today).map_err(|mistake| self.error(mistake))?;
            against(&entry, &entries, all).map_err(|(what, mend)| self.error((span, what, mend)))?;
            entries.push(Arc::new(entry));
        }
        Ok(Deviations(entries))
    }

    fn error(&self, (span, what, mend): Mistake) -> ListError {
        ListError { file: self.file.clone(), line: self.line(span.start), what, mend }
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

fn understood(entry: Entry, place: String, today: Date) -> Result<Deviation, Mistake> {
    let Entry { pattern, scope, target, istio, reason, link, owner, expires, outcome, quarantine } = entry;
    let pattern =
        valued(pattern, "pattern", "a part of a name, a glob over the whole name, or /re/", |text| {
            Pattern::parse(text).map_err(|error| error.to_string())
        })?;
    let scopes = "scopes are namespace, service-account and mesh";
    let scope = scope.map(|scope| valued(scope, "scope", scopes, scope_of)).transpose()?;
    let targets = format!("targets are {}", TARGETS.join(", "));
    let target = target.map(|target| valued(target, "target", &targets, target_of)).transpose()?;
    let istio =
        istio.map(|istio| valued(istio, "istio", "such as `>=1.24, <1.31`", Range::parse)).transpose()?;
    let reason = valued(reason, "reason", "say why it is listed", said)?;
    let link = valued(link, "link", "such as `https://github.com/istio/istio/issues/1`", link_of)?;
    let owner = valued(owner, "owner", "say who looks after the entry", said)?;
    let expires = valued(expires, "expires", "such as `2026-12-31`", |text| {
        text.parse::<Date>().map_err(|_| format!("`{text}` is no day"))
    })?;
    let outcomes =
        "`fails` when a pass means that the entry has to go, `may-fail` when it passes now and then";
    let outcome_span = outcome.span();
    let outcome = valued(outcome, "outcome", outcomes, outcome_of)?;
    let quarantine = quarantine.is_some_and(Spanned::into_inner);
    if quarantine && outcome == Outcome::Fails {
        let what = "a quarantined case gates nothing, so it cannot be held to fail".to_owned();
        return Err((outcome_span, what, "write outcome = \"may-fail\"".to_owned()));
    }
    let istio = istio.unwrap_or_default();
    let expired = today >= expires;
    Ok(Deviation {
        pattern,
        scope,
        target,
        istio,
        reason,
        link,
        owner,
        expires,
        expired,
        outcome,
        quarantine,
        place,
    })
}

fn valued<T>(
    text: Spanned<String>,
    field: &str,
    mend: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Mistake> {
    let span = text.span();
    parse(text.get_ref()).map_err(|what| (span, format!("{field}: {what}"), mend.to_owned()))
}

/// Holds an entry against the catalogue and against the entries before it.
fn against<C>(
    entry: &Deviation,
    before: &[Arc<Deviation>],
    all: &[Trial<C>],
) -> Result<(), (String, String)> {
    let named: Vec<_> = all.iter().filter(|trial| entry.names(trial)).collect();
    if named.is_empty() {
        let scope = if entry.scope.is_some() { " at that scope" } else { "" };
        let what = format!("pattern `{}` names no case{scope}", entry.pattern);
        return Err((what, "`waymark list --names` has every name".to_owned()));
    }
    if let Some(trial) = named.iter().find(|trial| entry.quarantine && trial.case.denies) {
        return Err((
            format!("`{}` claims a denial, which must not be quarantined", trial.name),
            "narrow the pattern, or list it without quarantine".to_owned(),
        ));
    }
    for other in before.iter().filter(|other| other.meets(entry)) {
        if let Some(trial) = named.iter().find(|trial| other.names(trial)) {
            return Err((
                format!("`{}` is listed twice, at {} too", trial.name, other.place),
                "keep one entry, or tell them apart by scope, target or istio".to_owned(),
            ));
        }
    }
    Ok(())
}

fn scope_of(text: &str) -> Result<Scope, String> {
    match text {
        "namespace" => Ok(Scope::Namespace),
        "service-account" => Ok(Scope::ServiceAccount),
        "mesh" => Ok(Scope::Mesh),
        other => Err(format!("there is no scope `{other}`")),
    }
}

fn outcome_of(text: &str) -> Result<Outcome, String> {
    match text {
        "fails" => Ok(Outcome::Fails),
        "may-fail" => Ok(Outcome::MayFail),
        other => Err(format!("there is no outcome `{other}`")),
    }
}

fn target_of(text: &str) -> Result<String, String> {
    match TARGETS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("there is no target `{text}`")),
    }
}

fn link_of(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("https://").filter(|rest| !rest.is_empty());
    match address.is_some_and(|rest| !rest.contains(char::is_whitespace)) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is no https link")),
    }
}

fn said(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("nothing is said".to_owned()),
        text => Ok(text.to_owned()),
    }
}
