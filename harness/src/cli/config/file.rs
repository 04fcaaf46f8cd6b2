//! The text of a configuration file as a list of values with their lines.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys;
use crate::cli::usage::Usage;

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The long name of the flag.
    pub(crate) key: String,
    /// As they would be typed; several only for a list.
    pub(crate) values: Vec<String>,
    /// `file:line`.
    pub(crate) place: String,
}

impl Entry {
    /// A mistake at this place.
    pub(super) fn wrong(&self, why: &str) -> Usage {
        Usage::new(
            format!("{}: {why}", self.place),
            "flags of the same name explain it: waymark run --help",
            [""; 0],
        )
    }
}

/// Which keys a section may have.
#[derive(Clone, Copy)]
enum Section {
    Target,
    Run,
}

/// The values of `[target]` and `[run]`, then those of the profile; every profile is checked.
pub(super) fn read(text: &str, shown: &str, profile: Option<&str>) -> Result<Vec<Entry>, Usage> {
    let reader = Reader { text, shown };
    let table = DeTable::parse(text).map_err(|error| {
        let line = reader.line(error.span().map_or(0, |span| span.start));
        Usage::new(format!("{line}: {}", error.message()), "the file is TOML", [""; 0])
    })?;
    let mut entries = reader.sections(table.get_ref(), "", &["run", "target", "profile"])?;
    let mut profiles = Vec::new();
    if let Some((_, all)) = table.get_ref().iter().find(|(key, _)| key.get_ref() == "profile") {
        for (name, sections) in reader.table("profile", all)? {
            let own = format!("profile.{}.", name.get_ref());
            let found = reader.sections(reader.table(name.get_ref(), sections)?, &own, &["run", "target"])?;
            profiles.push(name.get_ref().to_string());
            if profile == Some(name.get_ref()) {
                entries.extend(found);
            }
        }
    }
    match profile {
        Some(wanted) if !profiles.iter().any(|name| name == wanted) => {
            Err(Usage::new(format!("there is no profile `{wanted}` in {shown}"), "profiles", profiles))
        }
        _ => Ok(entries),
    }
}

struct Reader<'a> {
    text: &'a str,
    shown: &'a str,
}

impl<'a> Reader<'a> {
    /// `file:line` of an offset.
    fn line(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(self.text);
        format!("{}:{}", self.shown, before.matches('\n').count() + 1)
    }

    fn table<'t>(&self, name: &str, value: &'t Spanned<DeValue<'a>>) -> Result<&'t DeTable<'a>, Usage> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => {
                let line = self.line(value.span().start);
                Err(Usage::new(format!("{line}: `{name}` is a section"), "as in", [format!("[{name}]")]))
            }
        }
    }

    fn sections(&self, table: &DeTable<'a>, prefix: &str, known: &[&str]) -> Result<Vec<Entry>, Usage> {
        let (mut target, mut run) = (Vec::new(), Vec::new());
        for (name, value) in table.iter() {
            let section = match name.get_ref().as_ref() {
                "target" => Section::Target,
                "run" => Section::Run,
                "profile" if known.contains(&"profile") => continue,
                other => {
                    let line = self.line(name.span().start);
                    let what = format!("{line}: unknown section `{prefix}{other}`");
                    let all = ["run", "target", "profile.NAME.run", "profile.NAME.target"];
                    return Err(Usage::new(what, "sections", all));
                }
            };
            let shown = format!("{prefix}{}", name.get_ref());
            for (key, value) in self.table(&shown, value)?.iter() {
                let entry = self.entry(&shown, section, key, value)?;
                match section {
                    Section::Target => target.push(entry),
                    Section::Run => run.push(entry),
                }
            }
        }
        target.append(&mut run);
        Ok(target)
    }

    fn entry(
        &self,
        section: &str,
        kind: Section,
        key: &Spanned<std::borrow::Cow<'a, str>>,
        value: &Spanned<DeValue<'a>>,
    ) -> Result<Entry, Usage> {
        let (target, run) = keys();
        let (own, other, other_name) = match kind {
            Section::Target => (target, run, "run"),
            Section::Run => (run, target, "target"),
        };
        let name = key.get_ref().to_string();
        let place = self.line(key.span().start);
        if !own.contains(&name) {
            let what = format!("{place}: unknown key `{name}` in [{section}]");
            if other.contains(&name) {
                return Err(Usage::new(what, "it belongs to", [format!("[{other_name}]")]));
            }
            let mut near: Vec<_> = own.iter().map(|key| (strsim::jaro_winkler(&name, key), key)).collect();
            near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
            return Err(match near.first() {
                Some((likeness, key)) if *likeness > 0.8 => Usage::new(what, "did you mean", [*key]),
                _ => Usage::new(what, "keys", own),
            });
        }
        let entry = Entry { key: name, values: Vec::new(), place };
        let values = match value.get_ref() {
            DeValue::Table(_) => return Err(entry.wrong(&format!("`{}` is a value, not a table", entry.key))),
            DeValue::Array(items) => items.iter().map(|item| scalar(item.get_ref())).collect(),
            one => scalar(one).map(|value| vec![value]),
        };
        match values {
            Some(values) => Ok(Entry { values, ..entry }),
            None => {
                Err(entry
                    .wrong(&format!("`{}` is text, a number, true or false, or a list of those", entry.key)))
            }
        }
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
