//! What a user's rules may ask about a daemonset and its template.

use serde_json::Value;

use crate::datalog::Sym;
use crate::facts::encoder::Encoder;
use crate::kube::{DaemonSet, amount, host_port, image_parts, list};
use crate::policy::relations;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("")
}

impl Encoder {
    pub(in crate::facts) fn daemonset_details(&mut self, daemonset: &DaemonSet, it: Sym) {
        self.daemonset_fields(daemonset, it);
        if !relations::CLUSTER.iter().any(|relation| self.uses(*relation)) {
            return;
        }
        self.text_row(relations::daemonset_name, it, &[&daemonset.meta.key.name]);
        for (key, value) in daemonset.meta.labels.iter() {
            self.text_row(relations::daemonset_label, it, &[key, value]);
        }
        self.pairs(relations::daemonset_annotation, it, &daemonset.value["metadata"]["annotations"]);
        self.number_row(relations::daemonset_created, it, &[], &[daemonset.meta.created]);
        for (key, value) in daemonset.template.labels.iter() {
            self.text_row(relations::template_label, it, &[key, value]);
        }
        let template = &daemonset.value["spec"]["template"];
        self.pairs(relations::template_annotation, it, &template["metadata"]["annotations"]);
        self.pod_spec(&template["spec"], it);
        if self.uses(relations::daemonset_request) {
            for (resource, amount) in &*self.asked_of(template) {
                self.row(relations::daemonset_request, &[it, *resource, *amount]);
            }
        }
        for toleration in &daemonset.template.tolerations {
            let operator = if toleration.operator.is_empty() { "Equal" } else { &toleration.operator };
            let texts = [&*toleration.key, operator, &toleration.value, &toleration.effect];
            self.text_row(relations::template_toleration, it, &texts);
        }
        let strategy = &daemonset.strategy;
        for (relation, written) in [
            (relations::max_unavailable_written, strategy.max_unavailable),
            (relations::max_surge_written, strategy.max_surge),
        ] {
            if strategy.rolls() {
                self.text_row(relation, it, &[&written.to_string()]);
            }
        }
    }

    fn pod_spec(&mut self, spec: &Value, it: Sym) {
        for (field, namespace) in [("hostNetwork", "network"), ("hostPID", "pid"), ("hostIPC", "ipc")] {
            if spec[field] == true {
                self.text_row(relations::template_host_namespace, it, &[namespace]);
            }
        }
        for (relation, field) in [
            (relations::template_priority_class, "priorityClassName"),
            (relations::template_service_account, "serviceAccountName"),
        ] {
            if let Some(value) = spec[field].as_str() {
                self.text_row(relation, it, &[value]);
            }
        }
        let on_host = spec["hostNetwork"] == true;
        for (relation, field) in [
            (relations::template_container, "containers"),
            (relations::template_init_container, "initContainers"),
        ] {
            for container in list(spec, field) {
                self.text_row(relation, it, &[text(container, "name"), text(container, "image")]);
                self.container(container, on_host, it);
                if field == "containers" {
                    self.host_ports(container, on_host, it);
                }
            }
        }
        for volume in list(spec, "volumes") {
            let name = text(volume, "name");
            let kinds = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
            for kind in kinds.filter(|key| *key != "name") {
                self.text_row(relations::template_volume, it, &[name, kind]);
            }
            if let Some(path) = volume["hostPath"]["path"].as_str() {
                self.text_row(relations::template_host_path, it, &[name, path]);
            }
        }
    }

    /// The ports of the host that a container takes, with their addresses.
    fn host_ports(&mut self, container: &Value, on_host: bool, it: Sym) {
        for port in list(container, "ports") {
            let Some(number) = host_port(port, on_host) else { continue };
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            let address = Some(text(port, "hostIP")).filter(|it| !it.is_empty() && *it != "::");
            let row = [
                it,
                self.text(text(container, "name")),
                self.symbols.number(number),
                self.text(protocol),
                self.text(address.unwrap_or("0.0.0.0")),
            ];
            self.row(relations::host_port, &row);
        }
    }

    fn container(&mut self, container: &Value, on_host: bool, it: Sym) {
        let name = text(container, "name");
        let [repository, tag, digest] = image_parts(text(container, "image"));
        self.text_row(relations::template_image, it, &[name, &repository, &tag, &digest]);
        for port in list(container, "ports") {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            let number = port["containerPort"].as_i64().unwrap_or(0);
            if self.uses(relations::template_port) {
                let (name, protocol) = (self.text(name), self.text(protocol));
                let number = self.symbols.number(number);
                self.row(relations::template_port, &[it, name, number, protocol]);
            }
            if let Some(host) = host_port(port, on_host)
                && self.uses(relations::template_host_port)
            {
                let (host, protocol) = (self.symbols.number(host), self.text(protocol));
                self.row(relations::template_host_port, &[it, host, protocol]);
            }
        }
        for (relation, field) in
            [(relations::template_request, "requests"), (relations::template_limit, "limits")]
        {
            for (resource, quantity) in container["resources"][field].as_object().into_iter().flatten() {
                let written = quantity.as_str().map_or_else(|| quantity.to_string(), str::to_owned);
                if let Some(amount) = amount(resource, &written) {
                    self.number_row(relation, it, &[name, resource], &[amount]);
                }
            }
        }
        let security = &container["securityContext"];
        if security["privileged"] == true {
            self.text_row(relations::template_privileged, it, &[name]);
        }
        for capability in list(&security["capabilities"], "add").filter_map(Value::as_str) {
            self.text_row(relations::template_capability, it, &[name, capability]);
        }
    }
}
