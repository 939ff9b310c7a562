//! `[[transfer]]`: which secondaries may have which zone.

use crate::dns::Name;
use crate::runtime::network::Network;
use crate::runtime::transfer::Rule;
use serde::Deserialize;
use toml::Spanned;

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
        let zone = name(&text.zone);
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
