//! What was under test, where, and how it was asked for.

use maud::{Markup, html};

use super::words::clip;
use crate::events::Part;
use crate::result::RunResult;

/// How many parts, words or runs are listed.
const MANY: usize = 100;

/// Parts, machine and selection.
pub(super) fn section(result: &RunResult) -> Markup {
    let run = &result.run;
    html! {
        section id="environment" {
            h2 { "What was under test" }
            @if run.parts.is_empty() { p.note { "The run ended before its parts were known." } }
            @else { (parts(&run.parts)) }
            dl.facts {
                div { dt { "Target" } dd { (clip(&run.target, 120)) } }
                div { dt { "Istio" } dd { (clip(&run.istio, 120)) } }
                @if let Some(machine) = &run.machine {
                    div { dt { "Machine" } dd {
                        (clip(&machine.kernel, 120)) ", " (clip(&machine.architecture, 40)) ", " (machine.cpus) " CPUs, "
                        (format!("{:.1}", machine.memory_mib as f64 / 1024.0)) " GiB"
                    } }
                }
                div { dt { "Selection" } dd { @if run.selection.is_empty() { "all cases" } @else { code { (clip(&run.selection.join(" "), 1000)) } } } }
                @if let Some(shard) = run.shard { div { dt { "Shard" } dd { (shard.index) " of " (shard.of) } } }
                @if let Some(seed) = run.seed { div { dt { "Seed of the order" } dd { (seed) } } }
                @if !run.sabotage.is_empty() { div { dt { "Sabotage" } dd { code { (clip(&run.sabotage.join(", "), 1000)) } } } }
                @if !run.merged.is_empty() { div { dt { "Merged from" } dd { (clip(&run.merged.join(", "), 2000)) } } }
            }
            @if !run.command.is_empty() { p.soft { "Such a run again:" } pre.command { code { (clip(&run.command, 1000)) } } }
        }
    }
}

fn parts(parts: &[Part]) -> Markup {
    html! {
        div.wide { table border="1" cellpadding="4" cellspacing="0" {
            thead { tr { th { "part" } th { "version" } th { "kind" } th { "origin" } th { "SHA-256" } } }
            tbody {
                @for part in parts.iter().take(MANY) {
                    tr {
                        th align="left" { (clip(&part.name, 80)) }
                        td { (clip(&part.version, 120)) }
                        td bgcolor=[part.stand_in.then_some("#fdecc2")] class=[part.stand_in.then_some("stand-in")] {
                            @if part.stand_in { b { "stand-in" } } @else { "real" }
                        }
                        td { (clip(&part.origin, 80)) }
                        td.digest { @if let Some(digest) = &part.digest { code { (clip(digest.strip_prefix("sha256:").unwrap_or(digest), 80)) } } }
                    }
                }
            }
        } }
    }
}
