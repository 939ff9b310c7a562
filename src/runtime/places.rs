//! Places for clients' connections, over TCP, TLS, HTTPS and QUIC together: so many in all, and so many for one client, that none takes
//! them all (RFC 7766 §6.2.2).
#![forbid(unsafe_code)]

use super::network::Network;
use crate::limits::{MAX_TCP_CLIENTS, MAX_TCP_CONNECTIONS_PER_CLIENT, TCP_IDLE_MS};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A client is an IPv4 address, or the network of IPv6 that one host may have to itself.
const CLIENT_BITS: (u8, u8) = (32, 64);
/// In a crowd a connection may be idle for only so small a part of the time.
const CROWDED: u32 = 10;

/// How many connections there may be, and how long one may be idle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpRules {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client.
    pub per_client: usize,
    /// How long one may be idle, where no more than half of all are open.
    pub idle: Duration,
}

impl Default for TcpRules {
    fn default() -> Self {
        Self {
            connections: MAX_TCP_CLIENTS,
            per_client: MAX_TCP_CONNECTIONS_PER_CLIENT,
            idle: Duration::from_millis(TCP_IDLE_MS),
        }
    }
}

/// All places of one replica.
#[derive(Clone)]
pub struct Places {
    rules: TcpRules,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// Of each client that has any, at least one.
    by_client: BTreeMap<Network, usize>,
}

/// One connection's place, given back when dropped.
pub struct Place {
    places: Places,
    client: Network,
}

impl Places {
    /// All free.
    pub fn new(rules: TcpRules) -> Self {
        Self { rules, taken: Arc::default() }
    }

    /// A place for a connection from `address`, if there is one for it.
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let client = Network::around(address, CLIENT_BITS.0, CLIENT_BITS.1);
        let mut taken = self.taken();
        let of_client = taken.by_client.get(&client).copied().unwrap_or(0);
        if taken.all >= self.rules.connections || of_client >= self.rules.per_client {
            return None;
        }
        taken.all += 1;
        taken.by_client.insert(client, of_client + 1);
        Some(Place { places: self.clone(), client })
    }

    /// How long a connection may be idle now (RFC 7766 §6.2.3: less when there are many).
    pub fn idle(&self) -> Duration {
        if self.crowded() { self.rules.idle / CROWDED } else { self.rules.idle }
    }

    /// Whether more than half of all are taken.
    pub fn crowded(&self) -> bool {
        self.taken().all > self.rules.connections / 2
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        match taken.by_client.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(connections: usize, per_client: usize) -> TcpRules {
        TcpRules { connections, per_client, idle: Duration::from_secs(10) }
    }

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// RFC 7766 §6.2.2: a client has a number of connections that leaves some to others.
    #[test]
    fn a_client_has_no_more_than_its_places_and_gets_them_back() {
        let places = Places::new(rules(100, 2));
        let held = [places.take(at("192.0.2.1")).unwrap(), places.take(at("192.0.2.1")).unwrap()];
        assert!(places.take(at("192.0.2.1")).is_none());
        assert!(places.take(at("192.0.2.2")).is_some());
        drop(held);
        assert!(places.take(at("192.0.2.1")).is_some());
        let _held = [places.take(at("2001:db8::1")).unwrap(), places.take(at("2001:db8::2:1")).unwrap()];
        assert!(places.take(at("2001:db8::3")).is_none(), "one network of 64 bits is one client");
        assert!(places.take(at("2001:db8:0:1::3")).is_some());
    }

    /// RFC 7766 §6.2.3: idle times shrink when there are many connections.
    #[test]
    fn all_places_are_bounded_and_idle_times_shrink_before() {
        let places = Places::new(rules(4, 4));
        let mut held = Vec::new();
        for (client, idle) in [("192.0.2.1", 10), ("192.0.2.2", 10), ("192.0.2.3", 1), ("192.0.2.4", 1)] {
            held.push(places.take(at(client)).unwrap());
            assert_eq!(places.idle(), Duration::from_secs(idle), "{client}");
        }
        assert!(places.take(at("192.0.2.5")).is_none());
        held.pop();
        assert!(places.take(at("192.0.2.5")).is_some());
        drop(held);
        let taken = places.taken();
        assert_eq!((taken.all, taken.by_client.len()), (0, 0));
    }
}
