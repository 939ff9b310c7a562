//! What the demo prints to be copied and tried.

use super::Demo;
use crate::ceremony::client_keys::sig0_stem;
use crate::ceremony::files::zone_stem;
use crate::dns::name::Name;
use std::fmt::Write;

/// How this program was called.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "conclave".into())
}

/// The whole text.
pub fn text(demo: &Demo) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, demo);
    out
}

fn write(out: &mut String, demo: &Demo) -> std::fmt::Result {
    let committee = demo.cluster.committee;
    let ports: Vec<String> =
        demo.replicas.iter().flat_map(|file| &file.dns).map(|dns| dns.port().to_string()).collect();
    writeln!(
        out,
        "\nReady: {} on 127.0.0.1, port {}; {}.",
        super::ready::count(committee.n()),
        ports.join(" "),
        match committee.faults() {
            0 => "none may fail".into(),
            t => format!("any {t} of them may be corrupt or dead"),
        }
    )?;
    for zone in &demo.cluster.zones {
        write_zone(out, demo, &zone.origin)?;
    }
    let ctl = format!("{} ctl --dir {}", program(), demo.path(""));
    let ctl = ctl.trim_end_matches('/');
    writeln!(out, "\nLook inside, and try a fault (kill one replica, and go on):")?;
    writeln!(out, "  {ctl} status")?;
    if let Some(zone) = demo.cluster.zones.first() {
        writeln!(out, "  {ctl} export {}", zone.origin)?;
    }
    writeln!(out, "  cat {}", demo.path("demo.json"))?;
    writeln!(out, "Logs: {}. Ctrl-C ends the demo; the data stays.", demo.path("replica-*/log"))
}

fn write_zone(out: &mut String, demo: &Demo, origin: &Name) -> std::fmt::Result {
    let shown = match origin.to_string() {
        root if root == "." => root,
        name => name.trim_end_matches('.').to_owned(),
    };
    let port = |index: usize| {
        let address = demo.replicas.get(index % demo.replicas.len()).and_then(|file| file.dns.first());
        address.map_or(0, std::net::SocketAddr::port)
    };
    let anchor = demo.path(format!("anchors/{}.conf", zone_stem(origin)));
    let below =
        |label: &str| if origin.is_root() { format!("{label}.") } else { format!("{label}.{shown}.") };
    writeln!(out, "\n{origin}")?;
    writeln!(out, "  dig @127.0.0.1 -p {} {shown} SOA +dnssec +multiline", port(0))?;
    writeln!(out, "  delv @127.0.0.1 -p {} -a {anchor} +root={shown} {shown} SOA", port(1))?;
    let mut updates = Vec::new();
    if !demo.cluster.tsig.is_empty() {
        updates.push((demo.path("client/tsig.key"), below("hello"), 2));
    }
    for key in &demo.cluster.sig0 {
        updates.push((
            demo.path(format!("client/{}.key", sig0_stem(&key.name, &key.key))),
            below("hello"),
            3,
        ));
    }
    for (count, (key, name, replica)) in updates.into_iter().enumerate() {
        let port = port(replica);
        writeln!(
            out,
            "  printf 'server 127.0.0.1 {port}\\nzone {origin}\\nupdate add {name} 60 TXT \"hello {}\"\\nsend\\n' | nsupdate -k {key}",
            count + 1
        )?;
    }
    writeln!(out, "  delv @127.0.0.1 -p {} -a {anchor} +root={shown} {} TXT", port(0), below("hello"))
}
