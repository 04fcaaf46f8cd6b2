//! `list --check`: what is wrong with the list itself.

use waymark_ambient::sabotage::DEFECTS;
use waymark_reports::text::counted;

use crate::engine::Trial;

/// What is wrong, a sentence each; nothing when the list is in order.
/// `rows` are those of the catalogue, with comments; without any, only their shape is looked at.
pub(super) fn complaints<C>(trials: &[Trial<C>], rows: &str) -> Vec<String> {
    let rows: Vec<&str> =
        rows.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
    let is_known = |reference: &str| is_row(reference) && (rows.is_empty() || rows.contains(&reference));
    let mut found = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        if trials.iter().take(index).any(|earlier| earlier.name == trial.name) {
            found.push(format!("{}: the name is taken by an earlier case", trial.name));
        }
        let first = trial.case.scopes.first() == Some(&trial.scope);
        if !first {
            continue; // the rest is about the case, not about the trial
        }
        let (case, place) = (trial.case, format!("{}::{}", trial.case.suite, trial.case.name));
        if case.refs.is_empty() && case.source.is_none() {
            found.push(format!("{place}: neither a catalogue row nor a source ({})", case.file));
        }
        for reference in case.refs.iter().filter(|reference| !is_known(reference)) {
            found.push(format!("{place}: `{reference}` is no row of the catalogue, such as `GWC-03`"));
        }
        for stranger in
            case.killed_by.iter().filter(|name| DEFECTS.iter().all(|defect| defect.name != **name))
        {
            found.push(format!("{place}: `{stranger}` in `killed_by` is no defect"));
        }
        if case.killed_by.is_empty() {
            found.push(format!("{place}: no defect in `killed_by`, so nothing shows that it can fail"));
        }
        if let Some(link) = case.source.filter(|link| !is_link(link)) {
            found.push(format!("{place}: source `{link}` is no link, such as `https://istio.io/…`"));
        }
    }
    found
}

/// The finding as it is printed.
pub(super) fn text<C>(trials: &[Trial<C>], complaints: &[String]) -> String {
    match complaints {
        [] => format!("{} trials are in order\n", trials.len()),
        found => format!("{}\n{}\n", found.join("\n"), counted(found.len(), "complaint")),
    }
}

/// `AREA-NN`: letters and digits that start with a letter, two digits.
fn is_row(reference: &str) -> bool {
    let Some((area, number)) = reference.split_once('-') else { return false };
    let starts = area.chars().next().is_some_and(|first| first.is_ascii_uppercase());
    let area = area.len() >= 2 && area.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    starts && area && number.len() == 2 && number.chars().all(|c| c.is_ascii_digit())
}

fn is_link(link: &str) -> bool {
    link.strip_prefix("https://").is_some_and(|rest| rest.contains('.') && !rest.contains(' '))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use rstest::rstest;

    use super::{complaints, is_row};
    use crate::case::{Case, Isolation};
    use crate::engine::catalogue;
    use crate::engine::fake::{World, case, suite};

    fn sample(name: &'static str) -> Case<World> {
        let case = case(name, Isolation::Host, |_| async { Ok(()) }.boxed());
        Case { killed_by: &["rbac-off"], ..case }
    }

    #[rstest]
    #[case("GWC-03", true)]
    #[case("AZ7-05", true)]
    #[case("1.14", false)]
    #[case("7AZ-05", false)]
    #[case("GWC-3", false)]
    #[case("GWC-003", false)]
    #[case("gwc-03", false)]
    #[case("GWC03", false)]
    #[case("-03", false)]
    fn rows_have_a_shape(#[case] reference: &str, #[case] want: bool) {
        assert_eq!(is_row(reference), want);
    }

    #[test]
    fn each_mistake_is_named() {
        let cases = vec![
            sample("fine"),
            Case { refs: &[], source: Some("https://istio.io/latest/docs/"), ..sample("fine_by_source") },
            Case { refs: &[], ..sample("from_nowhere") },
            Case { refs: &["X-01", "1.14"], ..sample("bad_row") },
            Case { source: Some("see the docs"), ..sample("bad_link") },
            Case { killed_by: &[], ..sample("unkillable") },
            Case { killed_by: &["rback-off"], ..sample("killed_by_nobody") },
            sample("fine"),
        ];
        let cases = cases.into_iter().map(|case| match case.refs {
            ["X-01"] => Case { refs: &["XX-01"], ..case },
            _ => case,
        });
        let found = complaints(&catalogue(&[suite(cases.collect())]), "# rows\nXX-01 X-01\n");
        insta::assert_snapshot!(found.join("\n"));
    }
}
