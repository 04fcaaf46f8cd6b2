//! `report.html`: one page with all there is to know about a run.
//!
//! Everything is written as plain tables, inline SVG and `<details>`, so that the page reads without script and
//! without style sheet, as CI servers serve it. Style and script only add looks, search and keys, and the page
//! lets nothing else in: its policy names both by their hash. Text is escaped by the template language; characters
//! that a browser would act on in other ways are replaced in the finished page.

use std::fmt::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::result::{CaseResult, RunResult};

mod areas;
mod convergence;
mod environment;
mod header;
mod policy;
mod record;
mod red;
mod rest;
mod steps;
mod timeline;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

/// Bytes that the failure records may take; the red cases beyond are listed in short.
const RECORDS: usize = 1_500_000;
/// Bytes that all rows of one line a case may take; the cases beyond are only counted.
const ROWS: usize = 1_100_000;

/// The page of a run, below 3 MiB whatever the run holds. Links to evidence are relative to the run directory.
pub fn html(result: &RunResult) -> String {
    let mut rows = Budget(ROWS);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::content(STYLE, SCRIPT));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (header::title(result)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header::header(result))
                main id="all" {
                    (red::section(result, &mut Budget(RECORDS), &mut rows))
                    (areas::section(result))
                    (rest::known(result, &mut rows))
                    (rest::not_tried(result, &mut rows))
                    (rest::passed(result, &mut rows))
                    (timeline::section(result))
                    (steps::section(result))
                    (convergence::section(result))
                    (environment::section(result))
                }
                footer {
                    p { "Written from " code { "events.ndjson" } ". The same facts for scripts are in " code { "result.json" } "." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    harmless(&page.into_string())
}

/// What is left of a number of bytes.
struct Budget(usize);

impl Budget {
    /// Hands the markup on while there is room for it; nothing after the first time that there is none.
    fn admit(&mut self, markup: Markup) -> Option<Markup> {
        let left = self.0.checked_sub(markup.0.len());
        self.0 = left.unwrap_or(0);
        left.map(|_| markup)
    }
}

/// The word about what a budget kept out.
fn left_out(count: usize) -> Markup {
    markup! {
        @if count > 0 {
            p.note { (count) " more are left out to keep this page small; " code { "result.json" } " has them all." }
        }
    }
}

/// Cases that a reader has to look at, in the order of the plan.
fn red_cases(result: &RunResult) -> impl Iterator<Item = &CaseResult> {
    result.cases.iter().filter(|case| case.verdict.is_red())
}

/// Spells characters out that no font shows and a browser may act on: controls, and marks that turn the direction
/// of text.
fn harmless(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    for character in page.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}
