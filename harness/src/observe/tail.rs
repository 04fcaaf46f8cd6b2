//! Logs of pods, followed: each line is read and parsed once, however many cases ask for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{AsyncBufRead, AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};
use tokio_util::task::AbortOnDropHandle;

use super::PodHere;

/// How much of a log that began before it was followed is read, in seconds.
const BEFORE: i64 = 120;

/// What a line says; `None` for a line that says nothing of interest.
type Parse<T> = fn(&str) -> Option<T>;

/// The followed logs of one container of several pods.
pub(super) struct Tails<T> {
    container: &'static str,
    parse: Parse<T>,
    open: Mutex<BTreeMap<(String, String), Tail<T>>>,
}

struct Tail<T> {
    lines: Arc<Mutex<Vec<T>>>,
    reader: AbortOnDropHandle<()>,
}

impl<T: Clone + Send + 'static> Tails<T> {
    /// Nothing is followed yet.
    pub(super) fn new(container: &'static str, parse: Parse<T>) -> Self {
        Self { container, parse, open: Mutex::default() }
    }

    /// The lines of a pod's log so far that `wanted` picks. The first call begins to follow the log, and sees little of it.
    pub(super) fn lines(&self, client: &Client, pod: &PodHere, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let key = (pod.namespace.clone(), pod.name.clone());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that has ended was cut off or belongs to a container that is gone; its successor is read from its start.
        if open.get(&key).is_some_and(|tail| tail.reader.is_finished()) {
            open.remove(&key);
        }
        let tail = open.entry(key).or_insert_with(|| self.follow(client, pod));
        let lines = tail.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| wanted(line)).cloned().collect()
    }

    fn follow(&self, client: &Client, pod: &PodHere) -> Tail<T> {
        let lines = Arc::default();
        let (into, parse) = (Arc::clone(&lines), self.parse);
        let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace);
        let params = LogParams {
            container: Some(self.container.to_owned()),
            follow: true,
            since_seconds: Some(BEFORE),
            ..LogParams::default()
        };
        let name = pod.name.clone();
        let reader = tokio::spawn(async move {
            let read = match api.log_stream(&name, &params).await {
                Ok(log) => read(log, parse, &into).await.map_err(|why| why.to_string()),
                Err(why) => Err(why.to_string()),
            };
            if let Err(why) = read {
                tracing::debug!(pod = %name, %why, "log ended");
            }
        });
        Tail { lines, reader: AbortOnDropHandle::new(reader) }
    }
}

async fn read<T>(
    log: impl AsyncBufRead,
    parse: Parse<T>,
    into: &Mutex<Vec<T>>,
) -> Result<(), std::io::Error> {
    let mut lines = std::pin::pin!(log.lines());
    while let Some(line) = lines.try_next().await? {
        if let Some(parsed) = parse(&line) {
            into.lock().unwrap_or_else(PoisonError::into_inner).push(parsed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_as_they_parse() {
        let into = Mutex::default();
        let log: &[u8] = b"1\nnoise\n\n22\n3";
        read(log, |line| line.parse::<u32>().ok(), &into).await.unwrap();
        assert_eq!(*into.lock().unwrap(), [1, 22, 3]);
    }

    #[tokio::test]
    async fn a_log_that_has_ended_is_opened_again() {
        let answer = tower::service_fn(|request: http::Request<kube::client::Body>| async move {
            let query = request.uri().query().unwrap_or_default();
            assert!(query.contains("follow=true") && query.contains("container=app"), "{query}");
            Ok::<_, std::convert::Infallible>(http::Response::new(kube::client::Body::from(b"7\n".to_vec())))
        });
        let client = Client::new(answer, "default");
        let pod = PodHere {
            namespace: "a".into(),
            name: "b".into(),
            addresses: Vec::new(),
            ready: true,
            enrolled: true,
        };
        let tails = Tails::new("app", |line| line.parse::<u32>().ok());
        for _ in 0..2 {
            tails.lines(&client, &pod, |_| true);
            while !tails.open.lock().unwrap().values().all(|tail| tail.reader.is_finished()) {
                tokio::task::yield_now().await;
            }
            let kept: Vec<_> =
                tails.open.lock().unwrap().values().map(|tail| tail.lines.lock().unwrap().clone()).collect();
            assert_eq!(kept, [[7]]);
        }
    }
}
