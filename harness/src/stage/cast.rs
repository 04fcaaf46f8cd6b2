//! Who plays on the stage: backends, clients and hops, in the words that cases use.

use std::fmt;

/// A kind of pod that answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// Version 1 of the app, service account `echo`.
    V1,
    /// Version 2 of the same.
    V2,
    /// Version 3 of the same.
    V3,
    /// The app under service account `other`, which no service-account scope covers.
    Other,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V1, Self::V2, Self::V3, Self::Other];

    /// The word in names and labels.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::Other => "other",
        }
    }

    /// The service account it runs under.
    #[must_use]
    pub fn account(self) -> &'static str {
        match self {
            Self::V1 | Self::V2 | Self::V3 => "echo",
            Self::Other => "other",
        }
    }

    /// The version label its pods carry.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::V1 | Self::Other => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    /// Its Deployment.
    #[must_use]
    pub fn deployment(self) -> String {
        match self {
            Self::Other => "other".to_owned(),
            version => format!("echo-{}", version.word()),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A pod that sends requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// In the mesh, service account `client-a`.
    ClientA,
    /// In the mesh, service account `client-b`.
    ClientB,
    /// Outside of the mesh.
    Outsider,
    /// In the mesh, version 1 of the app in the namespace whose waypoint everything uses: it answers and sends.
    Neighbour,
}

impl Sender {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ClientA, Self::ClientB, Self::Outsider, Self::Neighbour];

    /// The word in messages; that of its Deployment and account, unless it is a backend too.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ClientA => "client-a",
            Self::ClientB => "client-b",
            Self::Outsider => "outsider",
            Self::Neighbour => "neighbour",
        }
    }

    /// The backend that it is as well.
    #[must_use]
    pub fn backend(self) -> Option<Backend> {
        match self {
            Self::Neighbour => Some(Backend::V1),
            Self::ClientA | Self::ClientB | Self::Outsider => None,
        }
    }

    /// The service account it runs under.
    #[must_use]
    pub fn account(self) -> &'static str {
        self.backend().map_or(self.word(), Backend::account)
    }

    /// Its Deployment.
    #[must_use]
    pub fn deployment(self) -> String {
        self.backend().map_or_else(|| self.word().to_owned(), Backend::deployment)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A proxy that can refuse a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hop {
    /// The waypoint, at L7.
    Waypoint,
    /// A ztunnel, at L4.
    Ztunnel,
    /// Whatever ends mutual TLS, before a request is read.
    Handshake,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waypoint => "waypoint",
            Self::Ztunnel => "ztunnel",
            Self::Handshake => "TLS handshake",
        })
    }
}

/// A part of the mesh that decides what comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// istiod: what it accepts, binds and configures.
    Istiod,
    /// Envoy, as the waypoint's proxy.
    Envoy,
    /// ztunnel.
    Ztunnel,
    /// What stands in for Istio's own extensions of Envoy; counts only in a run that has it.
    Adapter,
}

impl Part {
    /// The word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Istiod => "istiod",
            Self::Envoy => "envoy",
            Self::Ztunnel => "ztunnel",
            Self::Adapter => "adapter",
        }
    }
}

/// The label that exactly the pods of `set` carry, so that one Service can stand in front of any set of backends.
#[must_use]
pub fn set_label(set: &[Backend]) -> String {
    let mut set = set.to_vec();
    set.sort_unstable();
    set.dedup();
    let words: Vec<_> = set.into_iter().map(Backend::word).collect();
    format!("waymark.set/{}", words.join("-"))
}

/// The labels of all sets that `member` belongs to.
pub fn set_labels(member: Backend) -> impl Iterator<Item = String> {
    let subsets = 1_u8..1 << Backend::ALL.len();
    subsets.filter_map(move |bits| {
        let set: Vec<_> = Backend::ALL
            .into_iter()
            .enumerate()
            .filter(|(at, _)| bits & (1 << at) != 0)
            .map(|(_, it)| it)
            .collect();
        set.contains(&member).then(|| set_label(&set))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_label_is_carried_by_its_members_only() {
        for set in [vec![Backend::V1], vec![Backend::V2, Backend::V1], vec![Backend::V1, Backend::Other]] {
            let label = set_label(&set);
            for backend in Backend::ALL {
                assert_eq!(
                    set_labels(backend).any(|has| has == label),
                    set.contains(&backend),
                    "{label} {backend}"
                );
            }
        }
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(set_label(&[Backend::V2, Backend::V1, Backend::V2]), "waymark.set/v1-v2");
        assert_eq!(set_labels(Backend::V1).count(), 8);
    }
}
