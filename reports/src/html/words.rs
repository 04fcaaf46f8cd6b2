//! The small pieces of which the page is made: badges, links, anchors, bars.

use std::borrow::Cow;
use std::fmt::Write;

use maud::{Markup, html};

use crate::result::CaseResult;
use crate::verdict::{CaseVerdict, Scope};

/// How a verdict looks. Shapes and words tell them apart without colour.
pub(super) struct Look {
    /// A sign of its own.
    pub(super) mark: &'static str,
    /// For areas of charts; lightness alone tells broken from kept.
    pub(super) solid: &'static str,
    /// For cells where there is no style sheet, readable with black text on it.
    pub(super) tint: &'static str,
}

/// The look of a verdict.
pub(super) const fn look(verdict: CaseVerdict) -> Look {
    let (mark, solid, tint) = match verdict {
        CaseVerdict::Pass => ("✓", "#5ab8a0", "#d5f0e5"),
        CaseVerdict::Fail => ("✗", "#b23a00", "#ffdccb"),
        CaseVerdict::Error => ("!", "#7a2f8f", "#f2d8ee"),
        CaseVerdict::Known => ("≈", "#f0b323", "#fdecc2"),
        CaseVerdict::Unsupported => ("∅", "#9aa5b1", "#e8ebef"),
        CaseVerdict::Skip => ("»", "#c8d0d8", "#f0f2f4"),
        CaseVerdict::NotRun => ("…", "#5d6873", "#dde1e6"),
    };
    Look { mark, solid, tint }
}

/// A verdict as a word of its own.
pub(super) fn badge(verdict: CaseVerdict) -> Markup {
    html! { b class={ "badge " (verdict) } { (look(verdict).mark) " " (verdict) } }
}

/// A link to a case on this page.
pub(super) fn case_link(case: &CaseResult) -> Markup {
    html! { a href={ "#" (anchor(&case.name)) } { (clip(&case.name, 200)) } }
}

/// The id under which a case is found on the page, the same for links from outside.
pub(super) fn anchor(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_:.-".contains(c) { c } else { '-' };
    format!("c={}", name.chars().take(200).map(plain).collect::<String>())
}

/// A link to somewhere else when it is one that cannot do harm, otherwise its text.
pub(super) fn link(url: &str) -> Markup {
    let web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    html! {
        @if web { a href=(url) rel="noreferrer noopener" { (clip(url, 300)) } }
        @else { (clip(url, 300)) }
    }
}

/// The address of a file of evidence, relative to the page; none for one that leaves the run directory.
pub(super) fn relative(folder: &str, name: &str) -> Option<String> {
    let mut out = String::new();
    for segment in folder.split('/').chain(name.split('/')).filter(|segment| !matches!(*segment, "" | ".")) {
        if segment == ".." {
            return None;
        }
        if !out.is_empty() {
            out.push('/');
        }
        for byte in segment.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte))
                }
                _ => {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// At most so many characters of a text, with a word about the rest.
pub(super) fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{} … ({} bytes more)", &text[..at], text.len() - at)),
    }
}

/// `1 case`, `3 cases`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The scope of a waypoint for people.
pub(super) const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Namespace => "namespace",
        Scope::ServiceAccount => "service account",
        Scope::ServiceAccountEmulated => "service account, emulated",
    }
}

/// A duration below a second to the microsecond, above like everywhere else.
pub(super) fn micros(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..100_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        _ => crate::text::seconds(us / 1000),
    }
}

/// A coordinate of a chart.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// One horizontal bar of parts in a row, each as wide as its share of `whole`, in a picture of `width`. A part that
/// is not nothing has at least a width of `least`.
pub(super) fn bar(width: f64, least: f64, whole: f64, parts: &[BarPart<'_>]) -> Markup {
    let mut at = 0.0;
    let placed = parts.iter().filter(|part| part.value > 0.0).map(|part| {
        let wide = (part.value / whole.max(f64::MIN_POSITIVE) * width).max(least);
        let x = at;
        at += wide;
        (x, wide, part)
    });
    let placed: Vec<_> = placed.collect();
    // what is too small to see was drawn larger: give it back by shrinking the picture
    let scale = if at > width { at } else { width };
    html! {
        svg class="bar" width=(px(width)) height="16" viewBox={ "0 0 " (px(scale)) " 16" } preserveAspectRatio="none" role="img" aria-label=(label(parts)) {
            rect width=(px(scale)) height="16" fill="#eceff2" class="f-none" {}
            @for (x, wide, part) in placed {
                rect x=(px(x)) width=(px(if wide > 4.0 { wide - 1.0 } else { wide })) height="16" fill=(part.fill) class=(part.class) {
                    title { (part.name) ": " (part.shown) }
                }
            }
        }
    }
}

/// One part of a [`bar`].
pub(super) struct BarPart<'a> {
    /// What it is.
    pub(super) name: &'a str,
    /// Its size.
    pub(super) value: f64,
    /// Its size for people.
    pub(super) shown: String,
    /// Its colour without a style sheet.
    pub(super) fill: &'a str,
    /// Its colour with one.
    pub(super) class: &'a str,
}

fn label(parts: &[BarPart<'_>]) -> String {
    let parts = parts.iter().filter(|part| part.value > 0.0);
    parts.map(|part| format!("{} {}", part.name, part.shown)).collect::<Vec<_>>().join(", ")
}

/// The class under which the style sheet knows the colour of a verdict.
pub(super) const fn fill_class(verdict: CaseVerdict) -> &'static str {
    match verdict {
        CaseVerdict::Pass => "f-pass",
        CaseVerdict::Fail => "f-fail",
        CaseVerdict::Error => "f-error",
        CaseVerdict::Known => "f-known",
        CaseVerdict::Unsupported => "f-unsupported",
        CaseVerdict::Skip => "f-skip",
        CaseVerdict::NotRun => "f-not-run",
    }
}

/// The command that repeats one case.
pub(super) fn repeat(command: &str, name: &str) -> String {
    let command = if command.is_empty() { "waymark run" } else { command };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_:.-".contains(c);
    if name.chars().all(plain) {
        format!("{command} --exact {name}")
    } else {
        format!("{command} --exact '{}'", name.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{anchor, clip, link, micros, relative, repeat};

    #[rstest]
    #[case("evidence/a--b", "exchanges.json", Some("evidence/a--b/exchanges.json"))]
    #[case("evidence", "pod log #1?.txt", Some("evidence/pod%20log%20%231%3F.txt"))]
    #[case("/etc", "passwd", Some("etc/passwd"))]
    #[case("javascript:alert(1)", "", Some("javascript%3Aalert%281%29"))]
    #[case("evidence/..", "../x", None)]
    #[case("", "", None)]
    fn evidence_stays_below_the_run_directory(
        #[case] folder: &str,
        #[case] name: &str,
        #[case] want: Option<&str>,
    ) {
        assert_eq!(relative(folder, name).as_deref(), want);
    }

    #[rstest]
    #[case("https://github.com/istio/istio/issues/1", true)]
    #[case("javascript:alert(1)", false)]
    #[case("data:text/html,x", false)]
    #[case("//evil.example", false)]
    #[case("HTTPS.example", false)]
    fn only_web_addresses_become_links(#[case] url: &str, #[case] linked: bool) {
        assert_eq!(link(url).0.contains("href"), linked);
    }

    #[test]
    fn an_address_cannot_end_its_attribute() {
        assert!(!link("https://x/\"onmouseover=alert(1) <b>").0.contains("\"onmouseover"));
    }

    #[test]
    fn anchors_have_no_character_that_addresses_change() {
        assert_eq!(anchor("routing::a[v4] \"<"), "c=routing::a-v4----");
    }

    #[test]
    fn a_long_text_says_how_much_is_missing() {
        assert_eq!(clip("äöü", 2), "äö … (2 bytes more)");
        assert_eq!(clip("äö", 2), "äö");
    }

    #[rstest]
    #[case(85, "85 µs")]
    #[case(1_250, "1.2 ms")]
    #[case(30_900_000, "30.9 s")]
    fn short_times_are_shown_exactly(#[case] us: u64, #[case] want: &str) {
        assert_eq!(micros(us), want);
    }

    #[rstest]
    #[case("cargo waymark run", "a::b", "cargo waymark run --exact a::b")]
    #[case("", "a::b; rm 'x'", r"waymark run --exact 'a::b; rm '\''x'\'''")]
    fn a_repeat_command_can_be_pasted(#[case] command: &str, #[case] name: &str, #[case] want: &str) {
        assert_eq!(repeat(command, name), want);
    }
}
