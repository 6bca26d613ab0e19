//! Pods as real containers, by podman: what is played answers, what fails says why and leaves
//! nothing, what dies is seen and started again, and nobody else's pods are touched.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dsrules::kube::ObjectKey;
use dsrules::target::podman::{Options, Podman, reason};
use dsrules::target::runtime::{Observed, Phase, Playable, Runtime, State};
use serde_json::{Value, json};

#[allow(dead_code)]
#[path = "podman/machine.rs"]
mod machine;

use machine::{Machine, free_port, get, is_there, until};

const SHORT: Duration = Duration::from_secs(10);

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// The runtime of a node on a machine, as a start of the program has it.
fn runtime(machine: &Machine, node: &str) -> Podman {
    let (name, value) = machine.environment();
    let mut arguments = vec![format!("{name}={}", value.display()), "podman".to_owned()];
    arguments.extend(machine.options());
    let folder = machine.path(&format!("pods-{node}"));
    Podman::new(&Options { node: node.to_owned(), program: "env".to_owned(), arguments, folder, now })
        .unwrap()
}

/// A pod of one server, which listens on a port of its node.
fn pod(name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"app": "web"}},
        "spec": {
            "nodeName": "n1", "hostNetwork": true, "restartPolicy": "Always", "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "web", "image": "localhost/server:1", "imagePullPolicy": "IfNotPresent", "command": ["/server"],
                "env": [{"name": "PORT", "value": port.to_string()}, {"name": "TEXT", "value": name}],
                "ports": [{"name": "http", "containerPort": port}],
            }],
        },
    })
}

fn playable(manifest: Value, mark: &str, objects: &[Value]) -> Playable {
    let key = ObjectKey::new("shop", manifest["metadata"]["name"].as_str().unwrap());
    let node = json!({"kind": "Node", "metadata": {"name": "n1"},
        "status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}});
    let objects = objects.iter().cloned().chain([node]).collect();
    Playable { key, mark: mark.to_owned(), manifest, objects }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

/// The one pod of this name, as it is seen.
fn seen(podman: &Podman, name: &str) -> Option<Observed> {
    podman.list().unwrap().into_iter().find(|pod| *pod.key.name == *name)
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
}

#[test]
fn a_pod_runs_with_all_that_it_names_and_others_are_left_alone() {
    if !is_there("a_pod_runs_with_all_that_it_names_and_others_are_left_alone") {
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    // Somebody else's pod, and one of another node's.
    let foreign = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "foreign"}, "spec": {"hostNetwork": true,
        "containers": [{"name": "web", "image": "localhost/server:1", "command": ["/server"],
            "env": [{"name": "PORT", "value": free_port().to_string()}]}]}});
    fs::write(machine.path("foreign.yaml"), foreign.to_string()).unwrap();
    machine.says(&["kube", "play", machine.path("foreign.yaml").to_str().unwrap()]);
    let other = runtime(&machine, "n2");
    other.play(&playable(pod("other", free_port()), "m", &[])).unwrap();

    let podman = runtime(&machine, "n1");
    assert!(podman.name().starts_with("podman "), "{}", podman.name());
    assert_eq!(podman.list().unwrap(), []);
    let port = free_port();
    let mut manifest = pod("web-1", port);
    let container = &mut manifest["spec"]["containers"][0];
    container["envFrom"] = json!([{"secretRef": {"name": "keys"}}]);
    container["env"].as_array_mut().unwrap().extend([
        json!({"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "colour"}}}),
        json!({"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}),
        json!({"name": "ALL", "value": "$(COLOUR)-$(TOKEN)-$(NODE)"}),
    ]);
    container["volumeMounts"] = json!([
        {"name": "conf", "mountPath": "/conf"},
        {"name": "conf", "mountPath": "/one.txt", "subPath": "colour"},
        {"name": "empty", "mountPath": "/tmp"},
    ]);
    manifest["spec"]["volumes"] =
        json!([{"name": "conf", "configMap": {"name": "conf"}}, {"name": "empty", "emptyDir": {}}]);
    manifest["spec"]["initContainers"] =
        json!([{"name": "init", "image": "localhost/server:1", "command": ["/server", "once"]}]);
    let meta = |name: &str| json!({"name": name, "namespace": "shop"});
    let objects = [
        json!({"kind": "ConfigMap", "metadata": meta("conf"), "data": {"colour": "blue"}}),
        json!({"kind": "Secret", "metadata": meta("keys"), "data": {"TOKEN": "czNjcmV0"}}),
    ];
    let mut wanted = playable(manifest, "u1 7f", &objects);
    podman.play(&wanted).unwrap();
    until("it answers", SHORT, || get(port, "/").as_deref() == Some("web-1"));
    assert_eq!(get(port, "/env/ALL").unwrap(), "blue-s3cret-n1");
    assert_eq!(get(port, "/file/conf/colour").unwrap(), "blue");
    assert_eq!(get(port, "/file/one.txt").unwrap(), "blue");
    let pod = seen(&podman, "web-1").unwrap();
    assert_eq!((&*pod.mark, pod.phase, pod.ip.as_deref()), ("u1 7f", Phase::Running, Some("127.0.0.1")));
    assert!(pod.is_ready(), "{pod:?}");
    assert_eq!(
        pod.containers.iter().map(|it| (&*it.name, it.init)).collect::<Vec<_>>(),
        [("init", true), ("web", false)]
    );
    assert_eq!(podman.list().unwrap().len(), 1, "neither the foreign pod nor that of the other node");

    // What a ConfigMap says later is seen in its files, and nothing is started again.
    let pid = machine.pid("shop.web-1-web");
    wanted.objects[0]["data"] = json!({"colour": "red", "size": "9"});
    podman.refresh(&wanted).unwrap();
    assert_eq!(get(port, "/file/conf/colour").unwrap(), "red");
    assert_eq!(get(port, "/file/conf/size").unwrap(), "9");
    assert_eq!(machine.pid("shop.web-1-web"), pid);

    // The foreign pod's name is not ours to take.
    machine.says(&["pod", "create", "--name", "shop.taken"]);
    let taken = podman.play(&playable(self::pod("taken", free_port()), "m", &[])).unwrap_err();
    assert_eq!(taken.code, "pod-name-taken");
    podman.stop(&key("taken")).unwrap();

    podman.stop(&key("web-1")).unwrap();
    podman.stop(&key("web-1")).unwrap();
    assert_eq!(get(port, "/"), None);
    assert_eq!(machine.pods(), ["foreign", "shop.other", "shop.taken"]);
    assert_eq!(machine.says(&["volume", "ls", "--quiet"]), "");
    assert_eq!(fs::read_dir(machine.path("pods-n1")).unwrap().count(), 0, "its folder went with it");
}

#[test]
fn what_dies_is_seen_and_started_again_and_what_runs_is_left() {
    if !is_there("what_dies_is_seen_and_started_again_and_what_runs_is_left") {
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    let (port, beside) = (free_port(), free_port());
    let mut manifest = pod("web-1", port);
    let mut second = manifest["spec"]["containers"][0].clone();
    second["name"] = json!("second");
    second["env"] = json!([{"name": "PORT", "value": beside.to_string()}]);
    second["ports"] = json!([]);
    manifest["spec"]["containers"].as_array_mut().unwrap().push(second);
    let wanted = playable(manifest, "u1 7f", &[]);
    let podman = runtime(&machine, "n1");
    podman.play(&wanted).unwrap();
    until("it answers", SHORT, || get(port, "/").is_some() && get(beside, "/").is_some());

    let untouched = machine.pid("shop.web-1-second");
    kill(&machine.pid("shop.web-1-web"));
    until("its end is seen", SHORT, || {
        matches!(seen(&podman, "web-1").unwrap().containers[0].state, State::Ended(_))
    });
    let pod = seen(&podman, "web-1").unwrap();
    let State::Ended(ended) = &pod.containers[0].state else { panic!("{pod:?}") };
    assert_eq!((ended.code, &*ended.reason, pod.phase, &*pod.mark), (137, "Error", Phase::Running, "u1 7f"));
    podman.restart(&key("web-1")).unwrap();
    until("it answers again", SHORT, || get(port, "/").is_some());

    // A new start of the program knows what the old one did, and restarts nothing that runs.
    drop(podman);
    let podman = runtime(&machine, "n1");
    let pod = seen(&podman, "web-1").unwrap();
    assert_eq!((&*pod.mark, pod.containers[0].restarts, pod.containers[1].restarts), ("u1 7f", 1, 0));
    assert_eq!(pod.containers[0].last.as_ref().unwrap().code, 137);
    podman.restart(&key("web-1")).unwrap();
    assert_eq!(machine.pid("shop.web-1-second"), untouched);

    // One whose container was removed by hand is not what was played.
    machine.says(&["rm", "--force", "--time=0", "shop.web-1-second"]);
    assert_eq!(seen(&podman, "web-1").unwrap().mark, "");
    podman.play(&wanted).unwrap();
    until("both answer", SHORT, || get(port, "/").is_some() && get(beside, "/").is_some());
    assert_eq!(seen(&podman, "web-1").unwrap().mark, "u1 7f");

    // All of it stopped by hand, as after a reboot.
    machine.says(&["pod", "stop", "--time=0", "shop.web-1"]);
    podman.restart(&key("web-1")).unwrap();
    until("both answer", SHORT, || get(port, "/").is_some() && get(beside, "/").is_some());
    machine.says(&["pod", "rm", "--force", "--time=0", "shop.web-1"]);
    assert_eq!(podman.list().unwrap(), []);
    podman.play(&wanted).unwrap();
    until("it answers", SHORT, || get(port, "/").is_some());
}

#[test]
fn a_pod_that_takes_its_time_to_end_holds_up_nobody() {
    if !is_there("a_pod_that_takes_its_time_to_end_holds_up_nobody") {
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    let podman = runtime(&machine, "n1");
    // The server is the first process of its container, and knows no SIGTERM.
    let port = free_port();
    let mut slow = pod("slow", port);
    slow["spec"]["terminationGracePeriodSeconds"] = json!(6);
    podman.play(&playable(slow, "m", &[])).unwrap();
    until("it answers", SHORT, || get(port, "/").is_some());
    thread::scope(|scope| {
        let stopping = scope.spawn(|| podman.stop(&key("slow")));
        thread::sleep(Duration::from_secs(2));
        let began = std::time::Instant::now();
        assert!(seen(&podman, "slow").is_some());
        assert!(began.elapsed() < Duration::from_secs(2), "listing took {:?}", began.elapsed());
        assert!(get(port, "/").is_some(), "it has its time to end");
        stopping.join().unwrap().unwrap();
    });
    assert_eq!(podman.list().unwrap(), []);
}

#[test]
fn what_cannot_run_says_why_and_leaves_nothing() {
    if !is_there("what_cannot_run_says_why_and_leaves_nothing") {
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    let podman = runtime(&machine, "n1");
    let port = free_port();
    podman.play(&playable(pod("good", port), "m", &[])).unwrap();
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut manifest = pod("bad", free_port());
        change(&mut manifest["spec"]);
        let error = podman.play(&playable(manifest, "m", &[])).unwrap_err();
        assert_eq!(machine.pods(), ["shop.good"], "{error:?}");
        (error.code, error.message)
    };
    let missing = refused(&|spec| spec["containers"][0]["image"] = json!("localhost/server:2"));
    assert_eq!(missing.0, "image-missing");
    assert!(missing.1.starts_with("image `localhost/server:2` is not on this machine"), "{}", missing.1);
    assert_eq!(reason(missing.0), Some("ErrImageNeverPull"));
    let pull = refused(&|spec| {
        // Nobody listens there.
        spec["containers"][0]["image"] = json!("127.0.0.1:1/server:2");
    });
    assert_eq!(pull.0, "image-pull");
    assert!(pull.1.starts_with("image `127.0.0.1:1/server:2` cannot be pulled: "), "{}", pull.1);
    let port_taken = refused(&|spec| spec["containers"][0]["ports"][0]["containerPort"] = json!(taken_port));
    assert_eq!(
        port_taken.1,
        format!("host port {taken_port}/TCP of container `web` is taken by another process")
    );
    let command = refused(&|spec| spec["containers"][0]["command"] = json!(["/no-such-program"]));
    assert_eq!(command.0, "command-missing");
    assert!(command.1.contains("/no-such-program"), "{}", command.1);
    let config =
        refused(&|spec| spec["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "none"}}]));
    assert!(config.1.contains("the ConfigMap `none` is in no manifest"), "{}", config.1);
    let processes = refused(&|spec| spec["hostPID"] = json!(true));
    assert!(processes.1.starts_with("`spec.hostPID` cannot be had under podman"), "{}", processes.1);
    let root = refused(&|spec| spec["securityContext"] = json!({"runAsNonRoot": true}));
    assert_eq!(root.0, "runs-as-root");
    assert_eq!(get(port, "/").as_deref(), Some("good"), "other pods go on");
    assert_eq!(fs::read_dir(machine.path("pods-n1")).unwrap().count(), 1);
}

#[test]
fn a_full_disk_is_told_and_what_runs_goes_on() {
    if !is_there("a_full_disk_is_told_and_what_runs_goes_on") {
        return;
    }
    let machine = Machine::with_disk(12);
    machine.image("localhost/server:1");
    let podman = runtime(&machine, "n1");
    let port = free_port();
    podman.play(&playable(pod("good", port), "m", &[])).unwrap();
    // Room for the files of a pod, and not for another copy of the image.
    let mut filling = fs::File::create(machine.path("storage/filling")).unwrap();
    while std::io::Write::write_all(&mut filling, &[1; 100_000]).is_ok() {}
    drop(filling);
    let length = fs::metadata(machine.path("storage/filling")).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(machine.path("storage/filling"))
        .unwrap()
        .set_len(length - 600_000)
        .unwrap();
    let error = podman.play(&playable(pod("bad", free_port()), "m", &[])).unwrap_err();
    assert_eq!(error.code, "disk-full", "{error:?}");
    assert!(error.message.ends_with("no space left on device"), "{}", error.message);
    assert_eq!(machine.pods(), ["shop.good"]);
    assert_eq!(get(port, "/").as_deref(), Some("good"));
    fs::remove_file(machine.path("storage/filling")).unwrap();
    podman.play(&playable(pod("bad", free_port()), "m", &[])).unwrap();
}

#[test]
fn a_published_port_leads_to_the_pods_own_address() {
    if !is_there("a_published_port_leads_to_the_pods_own_address") {
        return;
    }
    if Command::new("iptables").arg("--version").output().is_err() {
        let line = "skipped: a_published_port_leads_to_the_pods_own_address: podman's networks need iptables, which is not on this machine\n";
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    let podman = runtime(&machine, "n1");
    let port = free_port();
    let mut manifest = pod("web-1", 8080);
    manifest["spec"]["hostNetwork"] = json!(false);
    let container = &mut manifest["spec"]["containers"][0];
    container["ports"] =
        json!([{"name": "http", "containerPort": 8080, "hostPort": port, "protocol": "TCP"}]);
    container["readinessProbe"] = json!({"httpGet": {"port": "http"}, "periodSeconds": 1});
    podman.play(&playable(manifest.clone(), "m", &[])).unwrap();
    until("it answers", SHORT, || get(port, "/").as_deref() == Some("web-1"));
    until("its probe reaches it", SHORT, || seen(&podman, "web-1").unwrap().is_ready());
    let ip = seen(&podman, "web-1").unwrap().ip.unwrap();
    assert!(ip.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| !ip.is_loopback()), "{ip}");
    manifest["metadata"]["name"] = json!("web-2");
    assert_eq!(podman.play(&playable(manifest, "m", &[])).unwrap_err().code, "port-taken");
    podman.stop(&key("web-1")).unwrap();
    assert_eq!(get(port, "/"), None);
}

#[test]
fn probes_say_who_is_ready_and_who_is_to_be_started_again() {
    if !is_there("probes_say_who_is_ready_and_who_is_to_be_started_again") {
        return;
    }
    let machine = Machine::new();
    machine.image("localhost/server:1");
    let podman = runtime(&machine, "n1");
    let port = free_port();
    let mut manifest = pod("web-1", port);
    let container = &mut manifest["spec"]["containers"][0];
    let every_second = |mut probe: Value| {
        probe["periodSeconds"] = json!(1);
        probe["failureThreshold"] = json!(1);
        probe
    };
    container["env"].as_array_mut().unwrap().push(json!({"name": "READY_AFTER", "value": "1"}));
    container["startupProbe"] = every_second(json!({"tcpSocket": {"port": "http"}}));
    container["startupProbe"]["failureThreshold"] = json!(30);
    container["readinessProbe"] = every_second(json!({"httpGet": {"port": "http", "path": "/ready"}}));
    container["livenessProbe"] = every_second(json!({"httpGet": {"port": port, "path": "/live"}}));
    let mut by_command = container.clone();
    by_command["name"] = json!("second");
    by_command["env"] = json!([{"name": "PORT", "value": free_port().to_string()}]);
    by_command["ports"] = json!([]);
    by_command["readinessProbe"] =
        every_second(json!({"exec": {"command": ["/server", "there", "/tmp/ok"]}}));
    for probe in ["startupProbe", "livenessProbe"] {
        by_command.as_object_mut().unwrap().remove(probe);
    }
    manifest["spec"]["containers"].as_array_mut().unwrap().push(by_command);
    let emptied = json!([{"name": "tmp", "mountPath": "/tmp"}]);
    manifest["spec"]["containers"][1]["volumeMounts"] = emptied;
    manifest["spec"]["volumes"] = json!([{"name": "tmp", "emptyDir": {}}]);
    podman.play(&playable(manifest, "m", &[])).unwrap();

    let ready = |podman: &Podman| {
        let pod = seen(podman, "web-1").unwrap();
        [pod.containers[0].is_ready(), pod.containers[1].is_ready(), pod.is_ready()]
    };
    assert_eq!(ready(&podman), [false, false, false]);
    until("the first is ready", SHORT, || ready(&podman) == [true, false, false]);
    let message = seen(&podman, "web-1").unwrap().message;
    assert!(message.starts_with("container `second`: Readiness probe failed: "), "{message}");
    let volumes = machine.path("pods-n1/shop.web-1/volumes");
    let tmp = fs::read_dir(volumes).unwrap().next().unwrap().unwrap().path();
    fs::write(tmp.join("ok"), "").unwrap();
    until("both are ready", SHORT, || ready(&podman) == [true, true, true]);
    // A new start asks at once, and takes nobody for unready meanwhile.
    thread::sleep(Duration::from_secs(2));
    drop(podman);
    let podman = runtime(&machine, "n1");
    assert_eq!(ready(&podman), [true, true, true]);

    get(port, "/sick").unwrap();
    until("it is stopped", SHORT, || {
        matches!(seen(&podman, "web-1").unwrap().containers[0].state, State::Ended(_))
    });
    podman.restart(&key("web-1")).unwrap();
    until("it is well again", SHORT, || ready(&podman) == [true, true, true]);
    assert_eq!(seen(&podman, "web-1").unwrap().containers[0].restarts, 1);
}

#[test]
fn a_machine_without_podman_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        node: "n1".to_owned(),
        program: "no-such-podman".to_owned(),
        arguments: Vec::new(),
        folder: folder.path().join("pods"),
        now,
    };
    let old = std::path::Path::new("tests/podman/old.sh");
    let version =
        Podman::new(&Options { program: old.display().to_string(), ..options.clone() }).unwrap_err();
    assert_eq!(
        (version.code, &*version.message),
        ("podman-old", "podman 4.3.0 or newer is needed, and this is 3.4.4")
    );
    let error = Podman::new(&options).unwrap_err();
    assert_eq!((error.code, &*error.message), ("podman-missing", "`no-such-podman` is not on this machine"));
    assert!(error.help.unwrap().starts_with("install podman 4.3 or newer"));
}
