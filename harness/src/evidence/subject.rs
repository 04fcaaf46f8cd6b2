//! Whose evidence is gathered.

use jiff::Timestamp;
use serde_json::Value;

use crate::expect::WaypointId;
use crate::stage::objects::ObjectRef;

/// What is known of a case when its evidence is gathered.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The full name of the trial.
    pub trial: String,
    /// Its id in the run, which its probes and objects carry.
    pub id: String,
    /// When its world opened: logs are read from then on.
    pub opened: Timestamp,
    /// The namespace it plays in.
    pub namespace: String,
    /// The waypoint it is about.
    pub waypoint: WaypointId,
    /// The namespace of the captured clients.
    pub home: String,
    /// What was sent and what came back, newest last, and how many older ones were dropped.
    pub exchanges: (Vec<Value>, usize),
    /// What it applied and did not delete, newest first.
    pub objects: Vec<(ObjectRef, Value)>,
}

impl Subject {
    /// A case that has not done anything yet.
    #[must_use]
    pub fn named(trial: &str, id: &str) -> Self {
        Self {
            trial: trial.to_owned(),
            id: id.to_owned(),
            opened: Timestamp::now(),
            namespace: String::new(),
            waypoint: WaypointId { namespace: String::new(), name: String::new() },
            home: String::new(),
            exchanges: (Vec::new(), 0),
            objects: Vec::new(),
        }
    }

    /// Every namespace that has to do with it: its own first.
    #[must_use]
    pub fn namespaces(&self) -> Vec<String> {
        let mut namespaces = vec![self.namespace.clone()];
        let objects = self.objects.iter().filter_map(|(object, _)| object.namespace.clone());
        for namespace in objects.chain([self.home.clone()]) {
            if !namespace.is_empty() && !namespaces.contains(&namespace) {
                namespaces.push(namespace);
            }
        }
        namespaces
    }

    /// What lines and entries of this case carry.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let id = &self.id;
        let ends = [".", "-", "\"", "/", "]"].map(|end| format!("-{id}{end}"));
        Marks([format!("waymark/{id}-")].into_iter().chain(ends).collect())
    }
}

/// Texts that only what is of one case contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks(Vec<String>);

impl Marks {
    /// Whether a line or entry tells of the case: of a probe, an object or a host of its own.
    #[must_use]
    pub fn on(&self, text: &str) -> bool {
        self.0.iter().any(|mark| text.contains(mark.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("\"GET / HTTP/1.1\" 200 \"waymark/c7-3\"", true)]
    #[case("dst.service=\"shop-c7.wm-1-ns.svc.cluster.local\"", true)]
    #[case("\"GET / HTTP/1.1\" 200 \"waymark/c77-3\"", false)]
    #[case("dst.service=\"shop-c77.wm-1-ns.svc.cluster.local\"", false)]
    fn a_case_knows_its_lines(#[case] line: &str, #[case] want: bool) {
        assert_eq!(Subject::named("a::b", "c7").marks().on(line), want);
    }
}
