//! Zone transfers to secondaries: who may have them, how many at once, in all and for one client, and how fast.
//!
//! A zone goes to nobody unless a rule says so. The next message is made when the connection has a place for it, so a
//! reader who stops holds what fits into the connection's queue, and is given up like any other that does not read.
#![forbid(unsafe_code)]

use super::network::Network;
use super::places::{Places, TcpRules};
use super::service::now_secs;
use crate::answer::transfer::{self, Permit};
use crate::answer::{Catalog, Readers};
use crate::dns::Name;
use crate::dns::tsig::Keyring;
use crate::limits::{MAX_TRANSFERS, MAX_TRANSFERS_PER_CLIENT};
use arc_swap::ArcSwap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Who may have a zone: `[[transfer]]` of `replica.toml`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The zone; every one, those that come later and the catalog too, if there is none.
    pub zone: Option<Name>,
    /// From where; anywhere if there is none.
    pub networks: Vec<Network>,
    /// Signed with one of these keys; unsigned too if there is none.
    pub keys: Vec<Name>,
}

impl Rule {
    fn allows(&self, zone: &Name, address: IpAddr, key: Option<&Name>) -> bool {
        let from_there = self.networks.is_empty() || self.networks.iter().any(|net| net.contains(address));
        let by_key = self.keys.is_empty() || key.is_some_and(|key| self.keys.contains(key));
        self.zone.as_ref().is_none_or(|of| of == zone) && from_there && by_key
    }
}

/// The transfers of one replica.
pub struct Transfers {
    rules: Vec<Rule>,
    places: Places,
}

impl Transfers {
    /// By these rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        let bounds = TcpRules {
            connections: MAX_TRANSFERS,
            per_client: MAX_TRANSFERS_PER_CLIENT,
            ..TcpRules::default()
        };
        Self { rules, places: Places::new(bounds) }
    }

    /// Who may read a zone that is not for everybody: who may have it by transfer.
    pub(super) fn readers(rules: Vec<Rule>) -> Readers {
        Arc::new(move |zone, address, key| rules.iter().any(|rule| rule.allows(zone, address, key)))
    }

    /// Answers a message that asks for a transfer; an error if the connection is to end.
    pub(super) async fn answer(
        &self,
        catalog: &ArcSwap<Catalog>,
        keys: &Arc<Keyring>,
        wire: &[u8],
        address: IpAddr,
        answers: &mpsc::Sender<Vec<u8>>,
    ) -> Result<(), ()> {
        let mut refusal = Vec::new();
        let mut place = None;
        let permit = |zone: &Name, key: Option<&Name>| {
            if !self.rules.iter().any(|rule| rule.allows(zone, address, key)) {
                return Permit::Refused;
            }
            place = self.places.take(address);
            if place.is_some() { Permit::Granted } else { Permit::Later }
        };
        let begun = transfer::begin(&catalog.load(), keys, wire, now_secs(), permit, &mut refusal);
        let Some(mut transfer) = begun else { return answers.send(refusal).await.map_err(drop) };
        let (zone, serial) = (transfer.view().origin().clone(), transfer.view().serial());
        let key = transfer.key().map(Name::to_string);
        let (mut messages, mut octets) = (0u64, 0usize);
        loop {
            // Made when there is room for it, not before.
            let room = answers.reserve().await.map_err(drop)?;
            match transfer.next(now_secs()) {
                Ok(Some(message)) => {
                    messages += 1;
                    octets += message.len();
                    room.send(message);
                }
                Ok(None) => break,
                Err(transfer::TooLong) => {
                    tracing::warn!(%zone, serial, %address, "transfer broken off: a record is too long for a message");
                    return Err(());
                }
            }
        }
        tracing::info!(%zone, serial, %address, key, messages, octets, "zone transferred");
        drop(place);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
