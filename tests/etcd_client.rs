//! The client of etcd, against real ones: pages, transactions, watches and leases, and what is told
//! of what goes wrong.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "etcd/members.rs"]
mod members;

use std::time::Duration;

use dsrules::etcd::{Access, Compare, Etcd, EventType, Op, Range, Trouble, Txn, Why};
use members::{Members, etcdctl, free_ports};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn connect(store: &str) -> Result<Etcd, Trouble> {
    Etcd::connect(&Access::parse(store).unwrap()).await
}

#[test]
fn keys_are_written_read_and_followed() {
    let Some(members) = Members::start(1) else { return };
    run(async {
        let etcd = connect(&members.store("x")).await.unwrap();
        let about = etcd.about().await.unwrap();
        assert!(about.cluster != 0 && about.version.starts_with("3."), "{about:?}");
        let create = |key: &str| Txn {
            compares: vec![Compare::unchanged(key, 0)],
            then: vec![Op::put(key, "1")],
            otherwise: vec![Op::Get(Range::key(key))],
        };
        let made = etcd.txn(&create("x/a")).await.unwrap();
        assert!(made.succeeded);
        let again = etcd.txn(&create("x/a")).await.unwrap();
        assert!(!again.succeeded);
        assert_eq!(
            (again.told[0][0].value.as_slice(), again.told[0][0].mod_revision),
            (&b"1"[..], made.revision)
        );
        // Many keys come in pages that are of one revision.
        let many: Vec<Op> =
            (0..100).map(|nth| Op::put(format!("x/many/{nth:04}"), vec![b'x'; 50_000])).collect();
        for some in many.chunks(20) {
            assert!(etcd.txn(&Txn { then: some.to_vec(), ..Txn::default() }).await.unwrap().succeeded);
        }
        let mut found = Vec::new();
        let visit = |page: Vec<dsrules::etcd::KeyValue>| {
            found.push(page.len());
            Ok::<_, Trouble>(())
        };
        let revision = etcd.pages(&Range::prefix("x/many/"), visit).await.unwrap();
        assert_eq!((found.iter().sum::<usize>(), revision), (100, made.revision + 5));
        assert_eq!(etcd.count(&Range::prefix("x/")).await.unwrap(), 101);
        // What became of them is told from any revision on.
        let mut watch = etcd.watch(Range::prefix("x/"), made.revision);
        let heard = watch.next().await.unwrap();
        assert_eq!(heard.events[0].kv.as_ref().unwrap().key, b"x/a");
        while watch.next_revision() <= revision {
            watch.next().await.unwrap();
        }
        let gone = Txn { then: vec![Op::Delete(Range::prefix("x/many/"))], ..Txn::default() };
        etcd.txn(&gone).await.unwrap();
        let heard = watch.next().await.unwrap();
        assert_eq!((heard.events.len(), heard.revision), (100, revision + 1));
        assert!(heard.events.iter().all(|it| it.r#type() == EventType::Delete));
        // Not what is compacted.
        etcd.compact(revision).await.unwrap();
        assert_eq!(etcd.watch(Range::prefix("x/"), 2).next().await.unwrap_err().why, Why::Compacted);
        let past = etcd.page(&Range::prefix("x/"), 0, 2).await.unwrap_err();
        assert_eq!(past.why, Why::Compacted);
        assert_eq!(etcd.page(&Range::prefix("x/"), 0, 1 << 40).await.unwrap_err().why, Why::Ahead);
    });
}

#[test]
fn a_lease_takes_its_keys_along() {
    let Some(members) = Members::start(1) else { return };
    run(async {
        let etcd = connect(&members.store("x")).await.unwrap();
        let lease = etcd.grant(2).await.unwrap();
        etcd.put("x/held", "1", lease.id).await.unwrap();
        assert_eq!(etcd.keep_alive(lease.id).await.unwrap(), lease.lasts);
        let (held, _) = etcd.get("x/held").await.unwrap();
        let held = held.unwrap();
        let guarded = Txn {
            compares: vec![Compare::same("x/held", held.create_revision), Compare::lease("x/held", lease.id)],
            then: vec![Op::put("x/guarded", "1")],
            ..Txn::default()
        };
        assert!(etcd.txn(&guarded).await.unwrap().succeeded);
        etcd.revoke(lease.id).await.unwrap();
        assert!(!etcd.txn(&guarded).await.unwrap().succeeded);
        assert!(etcd.get("x/held").await.unwrap().0.is_none());
        assert_eq!(etcd.keep_alive(lease.id).await.unwrap_err().why, Why::NoLease);
        etcd.revoke(lease.id).await.unwrap();
        assert_eq!(etcd.put("x/late", "1", lease.id).await.unwrap_err().why, Why::NoLease);
    });
}

#[test]
fn another_member_is_asked_where_one_is_gone() {
    let Some(mut members) = Members::start(3) else { return };
    run(async {
        let etcd = connect(&members.store("x")).await.unwrap();
        etcd.put("x/a", "1", 0).await.unwrap();
        let mut watch = etcd.watch(Range::prefix("x/"), 1);
        watch.next().await.unwrap();
        members.kill(0);
        etcd.put("x/a", "2", 0).await.unwrap();
        let heard = loop {
            match watch.next().await {
                Ok(heard) => break heard,
                Err(trouble) => assert!(trouble.passes(), "{trouble:?}"),
            }
        };
        assert_eq!(heard.events[0].kv.as_ref().unwrap().value, b"2");
        members.start_again(0);
        assert!(members.wait());
        members.kill(1);
        assert_eq!(etcd.get("x/a").await.unwrap().0.unwrap().value, b"2");
    });
}

#[test]
fn what_goes_wrong_is_told() {
    let Some(members) = Members::with(1, &["--quota-backend-bytes", "200000"]) else { return };
    run(async {
        let nobody = format!("etcd://127.0.0.1:{}/x", free_ports(1)[0]);
        let etcd = connect(&nobody).await.unwrap();
        let told = etcd.get("x").await.unwrap_err();
        assert_eq!((told.why, told.told.code), (Why::Unreachable, "etcd-unreachable"), "{}", told.told);
        // TLS with one that speaks none.
        let tls = members.store("x").replace("etcd://", "etcds://");
        let told = connect(&tls).await.unwrap().get("x").await.unwrap_err();
        assert_eq!(told.told.code, "etcd-unreachable", "{}", told.told);
        // Nobody asks for a user here, and none is refused.
        let access = Access { user: Some("x".into()), ..Access::parse(&members.store("x")).unwrap() };
        let etcd = Etcd::connect(&access).await.unwrap();
        let large = vec![b'x'; 2 << 20];
        assert_eq!(etcd.put("x/large", large, 0).await.unwrap_err().why, Why::TooLarge);
        let full = loop {
            if let Err(trouble) = etcd.put("x/full", vec![b'x'; 100_000], 0).await {
                break trouble;
            }
        };
        assert_eq!((full.why, full.told.code), (Why::Full, "etcd-full"));
    });
}

#[test]
fn a_user_is_asked_for() {
    let Some(members) = Members::with(1, &["--auth-token-ttl", "1"]) else { return };
    let admin = |args: &[&str]| etcdctl(&members.endpoint(0), args);
    admin(&["user", "add", "root:secret"]);
    admin(&["user", "add", "some:other"]);
    admin(&["role", "add", "part"]);
    admin(&["role", "grant-permission", "part", "readwrite", "x/", "--prefix=true"]);
    admin(&["user", "grant-role", "some", "part"]);
    admin(&["auth", "enable"]);
    run(async {
        let access = Access::parse(&members.store("x")).unwrap();
        let as_user = |user: &str, password: &str| Access {
            user: Some(user.to_owned()),
            password: Some(password.to_owned()),
            ..access.clone()
        };
        let told = Etcd::connect(&access).await.unwrap().get("x/a").await.unwrap_err();
        assert_eq!((told.why, told.told.code), (Why::Refused, "etcd-user"), "{}", told.told);
        let told = Etcd::connect(&as_user("some", "wrong")).await.unwrap_err();
        assert_eq!((told.why, told.told.code), (Why::Refused, "etcd-user"), "{}", told.told);
        assert!(!format!("{:?}", as_user("some", "wrong")).contains("wrong"));
        let etcd = Etcd::connect(&as_user("some", "other")).await.unwrap();
        etcd.put("x/a", "1", 0).await.unwrap();
        let told = etcd.put("y/a", "1", 0).await.unwrap_err();
        assert_eq!((told.why, told.told.code), (Why::Refused, "etcd-forbidden"), "{}", told.told);
        // A token does not last, and another one is asked for.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        etcd.put("x/a", "2", 0).await.unwrap();
        let heard = etcd.watch(Range::prefix("x/"), 1).next().await.unwrap();
        assert_eq!(heard.events.len(), 2);
    });
}
