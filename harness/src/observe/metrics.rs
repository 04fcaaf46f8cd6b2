//! Prometheus text, as waypoints (15090), ztunnels (15020) and istiod (15014) serve it.

use std::collections::BTreeMap;

/// How the names of Istio's own metrics begin.
const OWN: [&str; 2] = ["istio_", "pilot_"];

/// The series of one scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics(Vec<Series>);

/// One counter or gauge with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The metric's name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Metrics {
    /// Reads Istio's own series of a scrape, which are few among the hundreds of its proxy; of histograms and summaries
    /// only `_sum` and `_count`, which arrive as plain series.
    ///
    /// # Errors
    /// The I/O error of the parser.
    pub fn parse(text: &str) -> std::io::Result<Self> {
        let scrape =
            prometheus_parse::Scrape::parse(text.lines().filter(own).map(|line| Ok(line.to_owned())))?;
        let series = scrape.samples.into_iter().filter_map(|sample| {
            let value = match sample.value {
                prometheus_parse::Value::Counter(value)
                | prometheus_parse::Value::Gauge(value)
                | prometheus_parse::Value::Untyped(value) => value,
                prometheus_parse::Value::Histogram(_) | prometheus_parse::Value::Summary(_) => return None,
            };
            let labels = sample.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            Some(Series { name: sample.metric, labels, value })
        });
        Ok(Self(series.collect()))
    }

    /// The series named `name` that carry all `labels`.
    pub fn series(&self, name: &str, labels: &[(&str, &str)]) -> impl Iterator<Item = &Series> {
        self.0.iter().filter(move |series| {
            series.name == name
                && labels.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|has| has == value))
        })
    }

    /// Their sum; 0 when there is none.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        // the sum of none is minus zero
        self.series(name, labels).map(|series| series.value).sum::<f64>() + 0.0
    }

    /// Adds the series of another scrape, of another pod of the same thing.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Whether a line is of Istio's own metrics, and not one of the many buckets of a histogram.
fn own(line: &&str) -> bool {
    let name = line.strip_prefix("# TYPE ").unwrap_or(line);
    let name = name.split(['{', ' ']).next().unwrap_or_default();
    OWN.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with("_bucket")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAPE: &str = r#"# TYPE istio_requests_total counter
istio_requests_total{reporter="waypoint",response_code="200",destination_service="shop.ns.svc.cluster.local"} 5
istio_requests_total{reporter="waypoint",response_code="403",destination_service="shop.ns.svc.cluster.local"} 2
istio_requests_total{reporter="waypoint",response_code="200",destination_service="other.ns.svc.cluster.local"} 9
# TYPE istio_request_bytes histogram
istio_request_bytes_bucket{le="1"} 1
istio_request_bytes_bucket{le="+Inf"} 1
istio_request_bytes_sum{} 1
istio_request_bytes_count{} 1
pilot_total_xds_rejects{type="lds"} 3
"#;

    #[test]
    fn sums_only_what_carries_all_labels() {
        let metrics = Metrics::parse(SCRAPE).unwrap();
        let shop = ("destination_service", "shop.ns.svc.cluster.local");
        assert_eq!(metrics.sum("istio_requests_total", &[shop]), 7.0);
        assert_eq!(metrics.sum("istio_requests_total", &[shop, ("response_code", "200")]), 5.0);
        assert_eq!(metrics.sum("istio_requests_total", &[shop, ("reporter", "source")]), 0.0);
        assert_eq!(metrics.sum("pilot_total_xds_rejects", &[]), 3.0);
    }
}
