//! `conclave ctl metrics`: what replicas count, in the text exposition format of Prometheus, version 0.0.4.
//!
//! Made of the same answers as `ctl status`, so that nothing listens for it: have the output written to a file that a node's
//! exporter reads. Everything a replica counts begins at 0 when it starts.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A metric: its name, its type, what it says, and where it stands in a status.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    path: &'static [&'static str],
}

const fn counter(name: &'static str, help: &'static str, path: &'static [&'static str]) -> Metric {
    Metric { name, kind: "counter", help, path }
}

const fn gauge(name: &'static str, help: &'static str, path: &'static [&'static str]) -> Metric {
    Metric { name, kind: "gauge", help, path }
}

/// Single numbers.
const NUMBERS: &[Metric] = &[
    gauge("conclave_round", "The round of the newest own vertex.", &["round"]),
    counter("conclave_batches_total", "Batches executed, over all starts.", &["batches"]),
    gauge("conclave_stable_round", "The round of the newest checkpoint executed.", &["stable"]),
    gauge("conclave_pending_jobs", "Signing jobs not done.", &["pending_jobs"]),
    gauge("conclave_pending_requests", "Requests on their way through the order.", &["pending_requests"]),
    counter(
        "conclave_publish_failures_total",
        "Versions and signatures that failed their check.",
        &["publish_failures"],
    ),
    counter("conclave_signing_shares_total", "Own signature shares made.", &["signing", "shares"]),
    counter("conclave_signing_proofs_total", "Own proofs of shares made.", &["signing", "proofs"]),
    counter(
        "conclave_signing_verifications_total",
        "Others' proofs of shares verified.",
        &["signing", "verifications"],
    ),
    counter("conclave_signing_combinations_total", "Sets of shares combined.", &["signing", "combinations"]),
    counter("conclave_signing_checks_total", "Others' finished signatures verified.", &["signing", "checks"]),
];

/// The metrics of these replicas.
pub(super) fn text(statuses: &[Value]) -> String {
    let mut out = String::new();
    for Metric { name, kind, help, path } in NUMBERS {
        head(&mut out, name, kind, help);
        for status in statuses {
            let value = path.iter().fold(status, |value, key| &value[*key]);
            sample(&mut out, name, status, &[], value);
        }
    }
    let name = "conclave_signing_wrong_total";
    head(&mut out, name, "counter", "Wrong shares and signatures of a replica, by what shows it.");
    for status in statuses {
        for (culprit, found) in members(&status["signing"]["culprits"]) {
            for (evidence, times) in members(&found["wrong"]) {
                sample(&mut out, name, status, &[("culprit", culprit), ("evidence", evidence)], times);
            }
        }
    }
    let name = "conclave_faults_total";
    head(&mut out, name, "counter", "Misbehaviour of a replica, by kind.");
    for status in statuses {
        for (culprit, kinds) in members(&status["faults"]) {
            for (kind, times) in members(kinds) {
                sample(&mut out, name, status, &[("culprit", culprit), ("kind", kind)], times);
            }
        }
    }
    out
}

fn members(value: &Value) -> BTreeMap<&str, &Value> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect()
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(out: &mut String, name: &str, status: &Value, labels: &[(&str, &str)], value: &Value) {
    let Some(value) = value.as_u64() else { return };
    let mut all = format!("replica=\"{}\"", status["index"]);
    for (label, said) in labels {
        let said = said.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(all, ",{label}=\"{said}\"");
    }
    let _ = writeln!(out, "{name}{{{all}}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_metric_is_described_once_and_culprits_have_their_evidence() {
        let status = |index: u8| {
            json!({
                "index": index, "round": 7, "batches": 3,
                "signing": { "shares": 5, "culprits": { "2": { "wrong": { "proof": 4, "form": 1 } } } },
                "faults": { "2": { "BadSignatureShare": 5 } },
            })
        };
        let text = text(&[status(1), status(3)]);
        for line in [
            "conclave_round{replica=\"1\"} 7",
            "conclave_signing_shares_total{replica=\"3\"} 5",
            "conclave_signing_wrong_total{replica=\"3\",culprit=\"2\",evidence=\"proof\"} 4",
            "conclave_signing_wrong_total{replica=\"1\",culprit=\"2\",evidence=\"form\"} 1",
            "conclave_faults_total{replica=\"1\",culprit=\"2\",kind=\"BadSignatureShare\"} 5",
            "# TYPE conclave_signing_wrong_total counter",
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
        }
        // What a status does not say is left out.
        assert!(!text.contains("conclave_stable_round{"), "{text}");
    }
}
