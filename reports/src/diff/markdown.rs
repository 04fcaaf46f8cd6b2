//! A diff as Markdown, for a step summary or a comment.

use std::fmt::Write;

use super::terminal::percent;
use super::{Change, Diff, Kind, Side};
use crate::gate::Checked;
use crate::markdown::escape::{code, inline};
use crate::text::{counted, seconds};

const MOST: usize = 50;

impl Diff {
    /// As GitHub-flavoured Markdown, with the outcome of the gate, if there was one.
    pub fn markdown(&self, gate: &[Checked]) -> String {
        let mut out = format!("## waymark: {} against {}\n\n", code(&self.head.id), code(&self.base.id));
        out.push_str(
            "| | run | istio | target | waymark | verdict | cases |\n|---|---|---|---|---|---|--:|\n",
        );
        side(&mut out, "base", &self.base);
        side(&mut out, "head", &self.head);
        let _ =
            writeln!(out, "\n{}; {} compared.", inline(&self.comparable()), counted(self.compared, "case"));
        if self.is_empty() {
            out.push_str("\nNo verdict changed.\n");
        }
        for kind in Kind::ALL {
            self.section(&mut out, kind);
        }
        only(&mut out, "base", &self.only_base);
        only(&mut out, "head", &self.only_head);
        out.push_str("\n| time | base | head | change |\n|---|--:|--:|--:|\n");
        for (label, measure) in self.measures() {
            let (base, head) = (seconds(measure.base), seconds(measure.head));
            let _ = writeln!(out, "| {label} | {base} | {head} | {} |", percent(measure));
        }
        for slower in &self.times.slower {
            let (base, head) = (seconds(slower.ms.base), seconds(slower.ms.head));
            let _ = writeln!(
                out,
                "| slower case {} | {base} | {head} | {} |",
                code(&slower.name),
                percent(slower.ms)
            );
        }
        if !gate.is_empty() {
            out.push_str("\n**Gate**\n\n");
        }
        for checked in gate {
            let mark = if checked.holds { "✅" } else { "❌" };
            let value =
                checked.value.as_ref().map_or("was not measured".to_owned(), |value| format!("is {value}"));
            let _ = writeln!(out, "- {mark} {}: {value}", code(&checked.condition));
        }
        out
    }

    fn section(&self, out: &mut String, kind: Kind) {
        let count = self.count(kind);
        if count == 0 {
            return;
        }
        let _ = writeln!(
            out,
            "\n**{count} {}**\n\n| case | base | head | why |\n|---|---|---|---|",
            kind.as_str()
        );
        for change in self.of(kind).take(MOST) {
            let Change { name, base, head, .. } = change;
            let _ = writeln!(out, "| {} | {base} | {head} | {} |", code(name), why(change));
        }
        if count > MOST {
            let _ = writeln!(out, "| and {} more | | | |", count - MOST);
        }
    }
}

fn side(out: &mut String, label: &str, side: &Side) {
    let Side { id, target, istio, waymark, verdict, cases, reason } = side;
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {}", inline(reason)));
    let (id, istio, target, waymark) = (code(id), inline(istio), inline(target), inline(waymark));
    let _ =
        writeln!(out, "| {label} | {id} | {istio} | {target} | {waymark} | {verdict}{reason} | {cases} |");
}

fn why(change: &Change) -> String {
    let words = [change.cause.as_deref(), change.reason.as_deref()];
    inline(&words.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

fn only(out: &mut String, whose: &str, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n**{} only in {whose}, not compared**\n", names.len());
    for name in names.iter().take(MOST) {
        let _ = writeln!(out, "- {}", code(name));
    }
    if names.len() > MOST {
        let _ = writeln!(out, "- and {} more", names.len() - MOST);
    }
}
