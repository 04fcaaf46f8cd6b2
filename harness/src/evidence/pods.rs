//! Evidence that pods hold: logs, the waypoint's configuration and statistics, ztunnel's view.

use std::sync::Arc;

use futures::future::{join, join_all};
use serde_json::Value;
use tokio::task::JoinError;
use tokio::time::timeout;

use super::item::Content;
use super::mesh::SYSTEM;
use super::reads::{Document, Reads};
use super::subject::Marks;
use super::{Item, Limits, Subject, view};
use crate::case::Broken;
use crate::diagnose::Ztunnel;
use crate::diagnose::object::{label, name, namespace};
use crate::observe::Observer;
use crate::observe::access_log::AccessLine;
use crate::observe::ztunnel::ConnectionLine;

/// What was read of pods.
#[derive(Default)]
pub(super) struct Pods {
    pub(super) items: Vec<Item>,
    pub(super) waypoint_lines: Option<Vec<AccessLine>>,
    pub(super) ztunnel_lines: Option<Vec<ConnectionLine>>,
    pub(super) ztunnel: Option<Ztunnel>,
    pub(super) config: Option<Arc<str>>,
}

/// Which pods, by what they are to the case.
#[derive(Default)]
struct Roles<'a> {
    waypoint: Vec<&'a Value>,
    ztunnel: Vec<&'a Value>,
    istiod: Vec<&'a Value>,
    apps: Vec<&'a Value>,
}

impl<'a> Roles<'a> {
    fn of(pods: &'a [Value], subject: &Subject) -> Self {
        let mut roles = Self::default();
        for pod in pods {
            let (home, app) = (namespace(pod), label(pod, "app"));
            let gateway = label(pod, "gateway.networking.k8s.io/gateway-name");
            match (home, app) {
                (SYSTEM, Some("ztunnel")) => roles.ztunnel.push(pod),
                (SYSTEM, Some("istiod")) => roles.istiod.push(pod),
                (SYSTEM, _) => {}
                _ if home == subject.waypoint.namespace && gateway == Some(&subject.waypoint.name) => {
                    roles.waypoint.push(pod);
                }
                _ if label(pod, "waymark.app").is_some() => roles.apps.push(pod),
                _ => {}
            }
        }
        roles
    }
}

/// Reads pods of one case.
pub(super) struct Reader<'a> {
    pub(super) observer: &'a Observer,
    pub(super) reads: &'a Reads,
    pub(super) subject: &'a Subject,
    pub(super) limits: &'a Limits,
}

/// The file of a log, and the lines that rules may judge by; none where the log could not be read.
struct Log {
    item: Item,
    ours: Option<String>,
}

impl Reader<'_> {
    /// Reads everything at once.
    pub(super) async fn read(&self, pods: &[Value]) -> Pods {
        let roles = Roles::of(pods, self.subject);
        let (waypoint, ztunnel, istiod, apps) = tokio::join!(
            self.logs("waypoint", "istio-proxy", &roles.waypoint),
            self.logs("ztunnel", "istio-proxy", &roles.ztunnel),
            self.logs("istiod", "discovery", &roles.istiod),
            self.logs("app", "app", &roles.apps),
        );
        // After the logs, so that Envoy has had a moment more to flush; large answers do not delay small ones.
        let ((configs, config), rest) = join(self.configs(&roles.waypoint), async {
            tokio::join!(
                self.admin("stats", "/stats?usedonly", "its statistics", &roles.waypoint),
                self.admin("clusters", "/clusters", "its clusters and their endpoints", &roles.waypoint),
                self.ztunnels(&roles.ztunnel),
            )
        })
        .await;
        let (stats, clusters, (ztunnels, view)) = rest;
        let waypoint_lines = texts(&waypoint).map(|text| self.access_lines(&text));
        let ztunnel_lines = texts(&ztunnel).map(|text| self.connections(&text));
        let logs = [waypoint, ztunnel, istiod, apps].into_iter().flatten().map(|log| log.item);
        let items = logs.chain(configs).chain(stats).chain(clusters).chain(ztunnels).collect();
        Pods { items, waypoint_lines, ztunnel_lines, ztunnel: view, config }
    }

    /// The logs of pods, and of the containers that ended before theirs.
    async fn logs(&self, role: &str, container: &str, pods: &[&Value]) -> Vec<Log> {
        let again = pods.iter().filter(|pod| restarted(pod));
        let wanted: Vec<_> =
            pods.iter().map(|pod| (pod, false)).chain(again.map(|pod| (pod, true))).collect();
        let share = self.limits.logs / wanted.len().max(1);
        join_all(wanted.into_iter().map(|(pod, before)| self.log((role, container), pod, before, share)))
            .await
    }

    async fn log(&self, (role, container): (&str, &str), pod: &Value, before: bool, share: usize) -> Log {
        let (home, name) = (namespace(pod), name(pod));
        let (end, which) = if before { ("-previous", ", before its restart") } else { ("", "") };
        let file = format!("{role}-{name}{end}.log");
        let about = format!("log of {role} pod {home}/{name} since the case began{which}");
        let marks = self.subject.marks();
        let read = self.observer.log_since(home, name, container, self.subject.opened, before);
        match self.timely(read).await {
            Ok(text) => {
                let (name, what) = (file.clone(), about.clone());
                // Of a busy mesh, megabytes: not where others wait for their answers.
                let read = tokio::task::spawn_blocking(move || Log {
                    item: Item::log(&name, &what, &text, share, |line| marks.on(line)),
                    ours: Some(ours(&text, &marks)),
                });
                let failed =
                    |why: JoinError| Log { item: Item::missing(&file, &about, why.to_string()), ours: None };
                read.await.unwrap_or_else(failed)
            }
            // What ended before may be gone, which leaves nothing in doubt.
            Err(why) => Log { item: Item::missing(&file, &about, why), ours: before.then(String::new) },
        }
    }

    async fn configs(&self, pods: &[&Value]) -> (Vec<Item>, Option<Arc<str>>) {
        let share = self.limits.config / pods.len().max(1);
        let read = join_all(pods.iter().map(|pod| async move {
            let file = format!("waypoint-{}-config.json", name(pod));
            let about = format!("whole configuration of waypoint pod {}", name(pod));
            let document = match self.ask(pod, "/config_dump").await {
                Ok(document) => document,
                Err(why) => return (Item::missing(&file, &about, why), None),
            };
            let (marks, whole) = (self.subject.marks(), Arc::clone(&document.text));
            let (name, what) = (file.clone(), about.clone());
            // Megabytes: not where others wait for their answers.
            let item =
                tokio::task::spawn_blocking(move || config(&name, &what, &document, share, &marks)).await;
            (item.unwrap_or_else(|why| Item::missing(&file, &about, why.to_string())), Some(whole))
        }))
        .await;
        let (items, texts): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        // Several proxies may be of different mind: only what all of them lack is lacking.
        let texts: Option<Vec<Arc<str>>> = texts.into_iter().collect();
        let whole = texts.filter(|all| !all.is_empty()).map(|all| match <[Arc<str>; 1]>::try_from(all) {
            Ok([one]) => one,
            Err(all) => all.join("\n").into(),
        });
        (items, whole)
    }

    async fn admin(&self, word: &str, path: &str, what: &str, pods: &[&Value]) -> Vec<Item> {
        let share = self.limits.stats / pods.len().max(1);
        join_all(pods.iter().map(|pod| async move {
            let file = format!("waypoint-{}-{word}.txt", name(pod));
            let about = format!("waypoint pod {}: {what}", name(pod));
            let marks = self.subject.marks();
            match self.ask(pod, path).await {
                Ok(document) => Item::log(&file, &about, &document.text, share, |line| marks.on(line)),
                Err(why) => Item::missing(&file, &about, why),
            }
        }))
        .await
    }

    async fn ztunnels(&self, pods: &[&Value]) -> (Vec<Item>, Option<Ztunnel>) {
        let share = self.limits.ztunnel / pods.len().max(1);
        let namespaces = self.subject.namespaces();
        let read = join_all(pods.iter().map(|pod| async move {
            let file = format!("{}-config.json", name(pod));
            let about = format!("what {} knows of the case's namespaces", name(pod));
            (file, about, self.ask(pod, "/config_dump").await)
        }))
        .await;
        let mut views = Vec::new();
        let items = read.into_iter().map(|(file, about, document)| {
            let dump = document.and_then(|it| match &it.value {
                Some(value) => Ok(view::ztunnel(value, &namespaces)),
                None => Err("its config dump is no JSON".to_owned()),
            });
            match dump {
                Ok(view) => {
                    views.push(view.clone());
                    Item::clean(&file, &about, view, share)
                }
                Err(why) => Item::missing(&file, &about, why),
            }
        });
        let items: Vec<_> = items.collect();
        let known = (!views.is_empty()).then(|| view::union(&views));
        (items, known)
    }

    /// One GET of a proxy's admin port, shared with whoever asks at the same time.
    async fn ask(&self, pod: &Value, path: &str) -> Result<Arc<Document>, String> {
        let (home, pod) = (namespace(pod), name(pod));
        let fetch = self.observer.admin(home, pod, path);
        self.timely(self.reads.get(&format!("{home}/{pod}{path}"), fetch)).await
    }

    async fn timely<T>(&self, read: impl Future<Output = Result<T, Broken>>) -> Result<T, String> {
        match timeout(self.limits.item, read).await {
            Ok(read) => read.map_err(|why| why.chain()),
            Err(_) => Err(format!("no answer within {:?}", self.limits.item)),
        }
    }

    fn access_lines(&self, text: &str) -> Vec<AccessLine> {
        let agent = format!("waymark/{}-", self.subject.id);
        let lines = text.lines().filter(|line| line.contains(&agent)).filter_map(AccessLine::parse);
        lines.filter(|line| line.user_agent.starts_with(&agent)).collect()
    }

    fn connections(&self, text: &str) -> Vec<ConnectionLine> {
        let namespaces = self.subject.namespaces();
        let ours = |line: &&str| namespaces.iter().any(|it| line.contains(it.as_str()));
        text.lines().filter(ours).filter_map(ConnectionLine::parse).collect()
    }
}

/// The lines of a log about the case, and those of policies, which do not always say whose they are.
fn ours(text: &str, marks: &Marks) -> String {
    let ours = text.lines().filter(|line| marks.on(line) || line.contains("policy rejection"));
    ours.flat_map(|line| [line, "\n"]).collect()
}

/// Whether a container of the pod was started again.
fn restarted(pod: &Value) -> bool {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    statuses.into_iter().flatten().any(|it| it["restartCount"].as_u64().is_some_and(|count| count > 0))
}

/// A config dump: whole where it fits, else what concerns the case.
fn config(file: &str, about: &str, document: &Document, share: usize, marks: &Marks) -> Item {
    let Some(value) = &document.value else {
        return Item::log(file, about, &document.text, share, |_| true);
    };
    // Indented, it takes more than twice the room.
    if document.text.len() <= share / 3 {
        return Item::clean(file, about, value.clone(), share);
    }
    if document.text.len() <= share {
        return Item::whole(file, about, &document.text);
    }
    let (value, cut) = view::config(value, |text| marks.on(text));
    let mut item = Item::clean(file, &format!("{about}, as far as it concerns the case"), value, share);
    if let Ok(Content { cut: was, .. }) = &mut item.content {
        *was |= cut;
    }
    item
}

/// All logs together; none when there is no log, or one could not be read.
fn texts(logs: &[Log]) -> Option<String> {
    let texts: Option<Vec<_>> = logs.iter().map(|log| log.ours.as_deref()).collect();
    texts.filter(|all| !all.is_empty()).map(|all| all.concat())
}
