//! `[[transfer]]`: which secondaries may have which zone.

use crate::dns::Name;
use crate::runtime::network::Network;
use crate::runtime::transfer::Rule;
use serde::Deserialize;
use toml::Spanned;

/// Stands for every zone.
const EVERY: &str = "*";
/// Rules of one replica.
const MAX_RULES: usize = 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferText {
    zone: Spanned<String>,
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    #[serde(default)]
    keys: Vec<Spanned<String>>,
}

/// The rules; what is wrong goes to `wrong`, with its place.
pub(super) fn rules(texts: Vec<TransferText>, wrong: &mut dyn FnMut(usize, String)) -> Vec<Rule> {
    if texts.len() > MAX_RULES {
        wrong(0, format!("more than {MAX_RULES} [[transfer]] tables"));
        return Vec::new();
    }
    let mut rules = Vec::new();
    for text in texts {
        let mut name = |text: &Spanned<String>| match Name::parse(text.get_ref()) {
            Ok(name) => Some(name.to_lowercase()),
            Err(e) => {
                wrong(
                    text.span().start,
                    format!("`{}` is not a domain name: {e}", text.get_ref().escape_debug()),
                );
                None
            }
        };
        let zone = match text.zone.get_ref().as_str() {
            EVERY => Some(None),
            _ => name(&text.zone).map(Some),
        };
        let keys = text.keys.iter().filter_map(&mut name).collect();
        let mut network = |text: &Spanned<String>| match text.get_ref().parse::<Network>() {
            Ok(network) => Some(network),
            Err(reason) => {
                wrong(text.span().start, reason);
                None
            }
        };
        let networks = text.networks.iter().filter_map(&mut network).collect();
        if text.networks.is_empty() && text.keys.is_empty() {
            let reason =
                "names no networks and no keys: for everybody write networks = [\"0.0.0.0/0\", \"::/0\"]";
            wrong(text.zone.span().start, reason.to_owned());
        }
        rules.extend(zone.map(|zone| Rule { zone, networks, keys }));
    }
    rules
}

#[cfg(test)]
mod tests {
    use crate::ceremony::deal::tests::dealt;
    use crate::runtime::config::ReplicaFile;

    /// The rules of a dealt replica's file with this at its end, loaded; or what is wrong.
    fn loaded(tables: &str) -> Result<usize, String> {
        let dir = dealt();
        let path = dir.path().join("replica-1/replica.toml");
        let text = std::fs::read_to_string(&path).unwrap() + tables;
        let file = ReplicaFile::parse(&text, &path).and_then(ReplicaFile::load);
        let lines = text.lines().count();
        file.map(|loaded| loaded.file.transfers.len()).map_err(|problems| {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let told = told.join("\n");
            let is_placed = told.contains(&format!("replica.toml:{lines}: "));
            assert!(is_placed || told.contains("of the cluster"), "{told}: not line {lines}");
            told
        })
    }

    /// RFC 5936 §5: nobody may have a zone of whom the file does not say so; and what it says is checked.
    #[test]
    fn rules_name_keys_of_the_cluster_and_any_zones() {
        assert_eq!(loaded(""), Ok(0));
        let zone = "\n[[transfer]]\nzone = \"example.test\"\n";
        let two = format!("{zone}networks = [\"192.0.2.0/24\", \"::1\"]\n{zone}keys = [\"Ops\"]\n");
        assert_eq!(loaded(&two), Ok(2));
        assert_eq!(loaded("\n[[transfer]]\nzone = \"*\"\nkeys = [\"ops\"]"), Ok(1), "all, whatever comes");
        assert_eq!(loaded("\n[[transfer]]\nzone = \"other.test\"\nkeys = [\"ops\"]"), Ok(1), "it may come");
        for (tables, reason) in [
            ("\n[[transfer]]\nzone = \"example.test\"", "names no networks and no keys"),
            ("\n[[transfer]]\nkeys = [\"ops\"]\nzone = \"a..b\"", "not a domain name"),
            ("\n[[transfer]]\nzone = \"example.test\"\nnetworks = [\"192.0.2.1/24\"]", "192.0.2.0/24 meant"),
            ("\n[[transfer]]\nzone = \"example.test\"\nkey = [\"ops\"]", "unknown field"),
            ("\n[[transfer]]\nzone = \"example.test\"\nkeys = [\"others\"]", "no TSIG key of the cluster"),
        ] {
            let told = loaded(tables).expect_err(tables);
            assert!(told.contains(reason), "{tables}: {told}");
        }
    }
}
