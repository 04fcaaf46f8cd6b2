//! What the mesh and the target under test can do, known before the first case runs.

use waymark_reports::events::Part;
use waymark_reports::verdict;

use crate::case::{Need, Power, Scope};

/// What the mesh and the target can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Istio's version (major, minor).
    pub istio: (u16, u16),
    /// The parts under test; a need of a real part is met by one of that name that is no stand-in.
    pub parts: Vec<Part>,
    /// Whether plain TCP can be sent through a waypoint.
    pub tcp: bool,
    /// Version (major, minor) of the Gateway API's CRDs.
    pub gateway_api: (u16, u16),
    /// Whether those are of the experimental channel.
    pub experimental: bool,
    /// Extension providers of the mesh config, by name.
    pub providers: Vec<String>,
    /// What the run may do to the cluster.
    pub powers: Vec<Power>,
}

impl Capabilities {
    /// Why `needs` are not met, such as `needs istio from 1.22, this is 1.21`; none when they are.
    pub fn missing(&self, needs: &[Need]) -> Option<String> {
        needs.iter().find_map(|need| self.lacks(*need))
    }

    /// The scope as reports name it: service-account scope is emulated since Istio dropped it in 1.22.
    pub fn scope(&self, scope: Scope) -> Option<verdict::Scope> {
        match scope {
            Scope::Namespace => Some(verdict::Scope::Namespace),
            Scope::ServiceAccount if self.istio >= (1, 22) => Some(verdict::Scope::ServiceAccountEmulated),
            Scope::ServiceAccount => Some(verdict::Scope::ServiceAccount),
            Scope::Mesh => None,
        }
    }

    fn lacks(&self, need: Need) -> Option<String> {
        let (major, minor) = self.istio;
        match need {
            Need::IstioFrom(from, since) if self.istio >= (from, since) => None,
            Need::IstioBefore(before, since) if self.istio < (before, since) => None,
            Need::RealPart(name) if self.is_real(name) => None,
            Need::Tcp if self.tcp => None,
            Need::GatewayApi(from, since) if self.gateway_api >= (from, since) => None,
            Need::ExperimentalChannel if self.experimental => None,
            Need::Provider(name) if self.providers.iter().any(|provider| provider == name) => None,
            Need::Power(power) if self.powers.contains(&power) => None,
            Need::IstioFrom(..) | Need::IstioBefore(..) => {
                Some(format!("needs {need}, this is {major}.{minor}"))
            }
            Need::GatewayApi(..) => {
                let (major, minor) = self.gateway_api;
                Some(format!("needs {need}, this is {major}.{minor}"))
            }
            Need::RealPart(_)
            | Need::Tcp
            | Need::ExperimentalChannel
            | Need::Provider(_)
            | Need::Power(_) => Some(format!("needs {need}")),
        }
    }

    fn is_real(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name && !part.stand_in)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use waymark_reports::events::Part;
    use waymark_reports::verdict;

    use super::Capabilities;
    use crate::case::Need::{
        self, ExperimentalChannel, GatewayApi, IstioBefore, IstioFrom, Provider, RealPart, Tcp,
    };
    use crate::case::{Power, Scope};

    fn capabilities(istio: (u16, u16)) -> Capabilities {
        let part = |name: &str, stand_in| Part {
            name: name.into(),
            version: "1".into(),
            origin: "go".into(),
            digest: None,
            stand_in,
        };
        Capabilities {
            istio,
            parts: vec![part("istiod", false), part("ztunnel", true)],
            gateway_api: (1, 2),
            providers: vec!["otel".into()],
            powers: vec![Power::MeshWide],
            ..Capabilities::default()
        }
    }

    #[rstest]
    #[case(&[], None)]
    #[case(&[IstioFrom(1, 24), IstioBefore(1, 25), RealPart("istiod")], None)]
    #[case(&[IstioFrom(1, 25)], Some("needs istio from 1.25, this is 1.24"))]
    #[case(&[IstioFrom(2, 0)], Some("needs istio from 2.0, this is 1.24"))]
    #[case(&[IstioBefore(1, 24)], Some("needs istio before 1.24, this is 1.24"))]
    #[case(&[IstioFrom(1, 9), RealPart("ztunnel")], Some("needs the real ztunnel"))]
    #[case(&[RealPart("envoy-istio")], Some("needs the real envoy-istio"))]
    #[case(&[Tcp], Some("needs plain TCP through a waypoint"))]
    #[case(&[GatewayApi(1, 2), Provider("otel"), Need::Power(Power::MeshWide)], None)]
    #[case(&[GatewayApi(1, 4)], Some("needs gateway API from 1.4, this is 1.2"))]
    #[case(&[ExperimentalChannel], Some("needs the gateway API's experimental channel"))]
    #[case(&[Provider("zipkin")], Some("needs the mesh config's provider `zipkin`"))]
    #[case(&[Need::Power(Power::ApiOutage)], Some("needs power over the cluster: an outage of the API server"))]
    fn needs_are_weighed(#[case] needs: &[Need], #[case] want: Option<&str>) {
        assert_eq!(capabilities((1, 24)).missing(needs).as_deref(), want);
    }

    #[test]
    fn service_account_scope_is_emulated_from_1_22() {
        let scope = |istio| capabilities(istio).scope(Scope::ServiceAccount);
        assert_eq!(scope((1, 21)), Some(verdict::Scope::ServiceAccount));
        assert_eq!(scope((1, 22)), Some(verdict::Scope::ServiceAccountEmulated));
        assert_eq!(capabilities((1, 22)).scope(Scope::Mesh), None);
    }
}
