//! `dsrules serve` as client-go's likes see it: the kube crate's watcher and reflector follow ten
//! thousand changes through a proxy that does them every harm a network and a busy server do, and
//! know in the end exactly what the store has. One lists first and then watches, the other watches
//! from the first on (`sendInitialEvents`).
#![allow(clippy::unwrap_used, missing_docs, dead_code)]

#[path = "naive/dice.rs"]
mod dice;
#[path = "serve/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Namespace, Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::{reflector, watcher};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use dice::Dice;
use server::Server;

/// So many changes there are at least.
const CHANGES: usize = 10_000;
/// So often a connection is cut at least.
const CUTS: usize = 100;

/// A proxy, and what it has done so far.
struct Proxy {
    server: String,
    dice: Mutex<Dice>,
    is_kind: AtomicBool,
    cuts: AtomicUsize,
    gone: AtomicUsize,
    busy: AtomicUsize,
    conflicts: AtomicUsize,
    stale: AtomicUsize,
    /// The first page of some list before, as it was answered.
    old: Mutex<Option<Vec<u8>>>,
}

const CONFLICT: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the object has been modified","reason":"Conflict","code":409}"#;
const GONE: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

impl Proxy {
    fn new(server: String) -> Self {
        Proxy {
            server,
            dice: Mutex::new(Dice::new(1)),
            is_kind: AtomicBool::default(),
            cuts: AtomicUsize::default(),
            gone: AtomicUsize::default(),
            busy: AtomicUsize::default(),
            conflicts: AtomicUsize::default(),
            stale: AtomicUsize::default(),
            old: Mutex::default(),
        }
    }

    fn below(&self, most: usize) -> usize {
        self.dice.lock().unwrap().below(most)
    }

    async fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if client.read(&mut byte).await? == 0 {
                return Ok(());
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let is_watch = head.lines().next().is_some_and(|line| line.contains("watch=true"));
        let is_kind = self.is_kind.load(Ordering::Relaxed);
        match self.below(11) {
            0 if !is_kind => {
                self.busy.fetch_add(1, Ordering::Relaxed);
                return answer(&mut client, "429 Too Many Requests\r\nRetry-After: 0", "{}").await;
            }
            1 if !is_kind && is_watch => {
                self.gone.fetch_add(1, Ordering::Relaxed);
                return answer(&mut client, "200 OK", &format!("{GONE}\n")).await;
            }
            5 if !is_kind => {
                self.conflicts.fetch_add(1, Ordering::Relaxed);
                return answer(&mut client, "409 Conflict", CONFLICT).await;
            }
            2 if !is_kind => tokio::time::sleep(Duration::from_millis(100)).await,
            3 | 4 if !is_kind && !is_watch && !head.contains("continue=") => {
                let old = self.old.lock().unwrap().clone();
                if let Some(old) = old {
                    self.stale.fetch_add(1, Ordering::Relaxed);
                    return client.write_all(&old).await;
                }
            }
            _ => {}
        }
        let mut server = TcpStream::connect(&self.server).await?;
        server.write_all(head.trim_end().as_bytes()).await?;
        server.write_all(b"\r\nConnection: close\r\n\r\n").await?;
        self.back(server, client, is_watch, &head).await
    }

    /// Hands on what is answered, or as much of it as it likes.
    async fn back(
        &self,
        mut server: TcpStream,
        mut client: TcpStream,
        is_watch: bool,
        head: &str,
    ) -> std::io::Result<()> {
        let is_kind = self.is_kind.load(Ordering::Relaxed);
        let mut left = match self.below(3) {
            _ if is_kind => usize::MAX,
            0 if !is_watch => usize::MAX,
            _ if is_watch && !head.contains("sendInitialEvents") => self.below(30_000),
            _ => self.below(200_000),
        };
        let (mut bytes, mut all) = (vec![0; 4096], Vec::new());
        loop {
            let read = server.read(&mut bytes).await?;
            if read == 0 {
                break;
            }
            let some = &bytes[..read.min(left)];
            client.write_all(some).await?;
            all.extend_from_slice(some);
            left -= some.len();
            if left == 0 {
                self.cuts.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
        }
        // A list of one page only, as what follows it would not go together with it.
        let text = String::from_utf8_lossy(&all);
        if !is_watch && !head.contains("continue=") && !text.contains("\"continue\":") {
            *self.old.lock().unwrap() = Some(all);
        }
        Ok(())
    }
}

async fn answer(client: &mut TcpStream, code: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    client.write_all(text.as_bytes()).await
}

/// Nodes as a file has them, after some of them came, went or changed; says how many did.
fn change(nodes: &mut BTreeMap<usize, usize>, dice: &mut Dice) -> usize {
    let before = nodes.clone();
    for _ in 0..150 {
        let name = dice.below(200);
        match dice.below(4) {
            0 => drop(nodes.remove(&name)),
            _ => drop(nodes.insert(name, dice.below(1000))),
        }
    }
    let all = before.keys().chain(nodes.keys()).collect::<std::collections::BTreeSet<_>>();
    all.into_iter().filter(|name| before.get(name) != nodes.get(name)).count()
}

fn manifest(nodes: &BTreeMap<usize, usize>) -> String {
    let node = |(name, label): (&usize, &usize)| {
        format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: m{name}, labels: {{x: v{label}}}}}\n")
    };
    nodes.iter().map(node).collect()
}

fn known<'n>(nodes: impl Iterator<Item = &'n Node>) -> BTreeMap<String, Option<String>> {
    nodes.map(|node| (node.name_any(), node.resource_version())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reflector_knows_in_the_end_what_the_store_has() {
    let server = Arc::new(Server::new(&[]));
    let proxy = Arc::new(Proxy::new(server.address.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let passing = proxy.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let proxy = passing.clone();
            tokio::spawn(async move { proxy.pass(client).await });
        }
    });
    let client = |address: String| {
        Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap()
    };
    let through: Api<Node> = Api::all(client(address.to_string()));
    let follow = |config: watcher::Config| {
        let (store, writer) = reflector::store::<Node>();
        let mut seen = Box::pin(reflector(writer, watcher(through.clone(), config)));
        tokio::spawn(async move {
            while let Some(event) = seen.next().await {
                if event.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        store
    };
    let stores = [watcher::Config::default().page_size(50), watcher::Config::default().streaming_lists()];
    let stores = stores.map(follow);
    let (cluster, cuts) = (server.clone(), proxy.clone());
    let changed = tokio::task::spawn_blocking(move || {
        let (mut nodes, mut dice, mut changed) = (BTreeMap::new(), Dice::new(0), 0);
        changed += change(&mut nodes, &mut dice);
        cluster.write("nodes.yaml", &manifest(&nodes));
        assert!(cluster.dsrules("apply -q nodes.yaml").ok);
        while changed < CHANGES || cuts.cuts.load(Ordering::Relaxed) < CUTS {
            changed += change(&mut nodes, &mut dice);
            cluster.write("nodes.yaml", &manifest(&nodes));
            let said = cluster.dsrules("apply -q --prune --max-delete 100% nodes.yaml");
            assert!(said.ok, "{}", said.err);
        }
        changed
    });
    let changed = changed.await.unwrap();
    proxy.is_kind.store(true, Ordering::Relaxed);
    let straight: Api<Node> = Api::all(client(server.address.clone()));
    for store in stores {
        let (mut expected, mut is) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..600 {
            expected = known(straight.list(&Default::default()).await.unwrap().items.iter());
            is = known(store.state().iter().map(|node| &**node));
            if is == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(is, expected);
    }
    let count = |it: &AtomicUsize| it.load(Ordering::Relaxed);
    let harm = [&proxy.cuts, &proxy.gone, &proxy.busy, &proxy.conflicts, &proxy.stale]
        .map(|it: &AtomicUsize| count(it));
    assert!(
        changed >= CHANGES && harm[0] >= CUTS && harm[1..].iter().all(|it| *it > 0),
        "{changed} {harm:?}"
    );
    eprintln!("{changed} changes; cut, 410, 429, 409, stale: {harm:?}");
}

/// What a typed client does to an object: made, written over, patched, found in a list, deleted.
async fn goes_round<K>(api: &Api<K>, object: serde_json::Value, patch: serde_json::Value)
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug,
    K: serde::Serialize + serde::de::DeserializeOwned,
{
    let (post, name) =
        (PostParams { field_manager: Some("typed".to_owned()), ..PostParams::default() }, "typed");
    let object: K = serde_json::from_value(object).unwrap();
    let dry = PostParams { dry_run: true, ..post.clone() };
    api.create(&dry, &object).await.unwrap();
    assert!(api.get_opt(name).await.unwrap().is_none(), "it was only asked");
    let made = api.create(&post, &object).await.unwrap();
    let mut newer = api.replace(name, &post, &made).await.unwrap();
    newer.meta_mut().labels = Some([("a".to_owned(), "b".to_owned())].into());
    let newer = api.replace(name, &post, &newer).await.unwrap();
    assert_ne!(made.resource_version(), newer.resource_version());
    match api.replace(name, &post, &made).await {
        Err(kube::Error::Api(status)) => assert_eq!((status.code, &*status.reason), (409, "Conflict")),
        other => panic!("{other:?}"),
    }
    api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    let found = api.list(&ListParams::default().labels("a=b").fields("metadata.name=typed")).await.unwrap();
    assert_eq!(found.items.len(), 1);
    api.delete(
        name,
        &DeleteParams::foreground().preconditions(Preconditions { uid: made.uid(), resource_version: None }),
    )
    .await
    .unwrap();
    assert!(api.get_opt(name).await.unwrap().is_none());
    api.create(&post, &object).await.unwrap();
    api.delete_collection(&DeleteParams::default(), &ListParams::default().fields("metadata.name=typed"))
        .await
        .unwrap();
    assert!(api.get_opt(name).await.unwrap().is_none());
}

#[tokio::test]
async fn typed_clients_find_each_resource() {
    let server = Server::new(&["--write"]);
    let config = Config::new(format!("http://{}", server.address).parse().unwrap());
    let client = Client::try_from(config).unwrap();
    let object = |more: serde_json::Value| {
        let mut object = json!({ "metadata": { "name": "typed" } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let note = || json!({ "metadata": { "annotations": { "x": "y" } } });
    goes_round::<Namespace>(&Api::all(client.clone()), object(json!({})), note()).await;
    goes_round::<Node>(&Api::all(client.clone()), object(json!({})), note()).await;
    let class = object(json!({ "value": 7 }));
    goes_round::<PriorityClass>(&Api::all(client.clone()), class, json!({ "description": "d" })).await;
    let lease =
        object(json!({ "spec": { "holderIdentity": "me", "renewTime": "2026-01-01T00:00:00.000001Z" } }));
    let renewed = json!({ "spec": { "renewTime": "2026-01-01T00:00:10.000001Z" } });
    goes_round::<Lease>(&Api::namespaced(client.clone(), "logging"), lease, renewed).await;
    let about = json!({ "kind": "Pod", "name": "p", "namespace": "logging" });
    let event = object(json!({ "involvedObject": about, "reason": "R", "message": "m", "type": "Normal" }));
    goes_round::<Event>(&Api::namespaced(client.clone(), "logging"), event, json!({ "count": 2 })).await;
    let service = object(json!({ "spec": { "selector": { "app": "agent" }, "ports": [{ "port": 80 }] } }));
    goes_round::<Service>(&Api::namespaced(client.clone(), "logging"), service.clone(), note()).await;
    let revision = object(json!({ "revision": 7, "data": { "spec": { "template": {} } } }));
    goes_round::<ControllerRevision>(&Api::namespaced(client.clone(), "logging"), revision, note()).await;
    let budget =
        object(json!({ "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "a" } } } }));
    let more = json!({ "spec": { "minAvailable": "50%" } });
    goes_round::<PodDisruptionBudget>(&Api::namespaced(client.clone(), "logging"), budget, more).await;
    let services: Api<Service> = Api::namespaced(client.clone(), "logging");
    let service: Service = serde_json::from_value(service).unwrap();
    services.create(&PostParams::default(), &service).await.unwrap();
    let slices: Api<EndpointSlice> = Api::namespaced(client, "logging");
    let slices = slices.list(&ListParams::default()).await.unwrap();
    assert_eq!(slices.items.len(), 1, "they are derived");
}
