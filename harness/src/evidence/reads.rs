//! Large answers of proxies, read once for all cases that turn red at the same time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::time::{Duration, Instant};

use super::redact;
use crate::case::Broken;

/// How old an answer may be: much younger than any claim that failed, whose last look may be a second ago.
const FRESH: Duration = Duration::from_secs(1);

/// An answer, redacted.
#[derive(Debug)]
pub(super) struct Document {
    /// As JSON, where it is.
    pub(super) value: Option<Value>,
    /// As compact JSON or as it came.
    pub(super) text: Arc<str>,
}

type Cell = Arc<tokio::sync::Mutex<Option<(Instant, Arc<Document>)>>>;

/// The newest answers by what was asked.
#[derive(Default)]
pub(super) struct Reads(Mutex<BTreeMap<String, Cell>>);

impl Reads {
    /// The answer to `what`: one that was just read, or else what `fetch` brings. Whoever asks meanwhile waits for it.
    pub(super) async fn get(
        &self,
        what: &str,
        fetch: impl Future<Output = Result<String, Broken>>,
    ) -> Result<Arc<Document>, Broken> {
        let cell = Arc::clone(self.cells().entry(what.to_owned()).or_default());
        let mut newest = cell.lock().await;
        if let Some((read, document)) = newest.as_ref()
            && read.elapsed() < FRESH
        {
            return Ok(Arc::clone(document));
        }
        let text = fetch.await?;
        let read = tokio::task::spawn_blocking(move || Document::of(text)).await;
        let document = Arc::new(read.map_err(|why| Broken::with(format!("redact {what}"), why))?);
        *newest = Some((Instant::now(), Arc::clone(&document)));
        Ok(document)
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Cell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Document {
    fn of(text: String) -> Self {
        match serde_json::from_str::<Value>(&text) {
            Ok(mut value) => {
                redact::json(&mut value);
                let text = value.to_string().into();
                Self { value: Some(value), text }
            }
            Err(_) => Self { value: None, text: redact::text(&text).into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_together_share_one_read() {
        let reads = Reads::default();
        let asked = AtomicU32::new(0);
        let ask = || {
            reads.get("config_dump", async {
                tokio::task::yield_now().await;
                let count = asked.fetch_add(1, Ordering::Relaxed) + 1;
                Ok(format!("{{\"count\": {count}, \"token\": \"abcdefgh\"}}"))
            })
        };
        let texts = join_all((0..5).map(|_| ask())).await;
        assert!(texts.iter().all(|it| &*it.as_ref().unwrap().text == r#"{"count":1,"token":"[redacted]"}"#));
        tokio::time::advance(FRESH).await;
        assert!(ask().await.unwrap().text.contains("\"count\":2"));
    }

    #[tokio::test]
    async fn a_read_that_fails_is_tried_again() {
        let reads = Reads::default();
        reads.get("stats", async { Err(Broken::new("no answer")) }).await.unwrap_err();
        let text = reads.get("stats", async { Ok("authorization: x".to_owned()) }).await.unwrap();
        assert_eq!(&*text.text, "authorization: [redacted]");
    }
}
