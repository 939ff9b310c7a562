//! What faces clients: sockets, settings, bounds, and the files behind them, which may change while the replica runs.
//!
//! The files are looked at every few seconds, and at SIGHUP. What they hold then is for new connections and new
//! queries; where it is wrong, that is logged, and what was read before stays.
#![forbid(unsafe_code)]

use super::Error;
use super::config::{CookieMode, FrontFiles, FrontRules, ReplicaFile};
use super::engine::{cannot_bind, cannot_start, entropy};
use super::places::Places;
use super::rate::RateLimit;
use super::service::Service;
use super::tcp::{self, Guard};
use super::udp::UdpServer;
use crate::answer::{Cookies, Settings};
use crate::dns::cookie::Secrets;
use crate::dns::tsig::Keyring;
use arc_swap::ArcSwap;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tracing::{info, warn};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The TCP sockets of clients, bound before anything is changed.
pub(super) struct Listeners {
    plain: Vec<TcpListener>,
    tls: Vec<TcpListener>,
}

impl Listeners {
    pub fn bind(file: &ReplicaFile) -> Result<Self, Error> {
        let bind = |what, addresses: &[SocketAddr]| {
            let each = addresses.iter().map(|at| tcp::bind(*at).map_err(|e| cannot_bind(what, *at, &e)));
            each.collect::<Result<Vec<_>, _>>()
        };
        let tls = file.front.tls.as_ref().map_or(&[][..], |tls| &tls.listen);
        Ok(Self { plain: bind("DNS over TCP", &file.dns)?, tls: bind("DNS over TLS", tls)? })
    }
}

/// The rules of one replica, and what is in force of the files that they name.
#[derive(Clone)]
pub(super) struct Front {
    rules: FrontRules,
    /// How queries are answered.
    pub settings: Arc<ArcSwap<Settings>>,
    guard: Option<Guard>,
    rate: Option<Arc<RateLimit>>,
    /// For want of shared secrets.
    own_secret: Option<Secrets>,
}

impl Front {
    pub fn new(rules: &FrontRules, files: FrontFiles, keys: Arc<Keyring>) -> Result<Self, Error> {
        let draw = || entropy().map(|entropy| std::array::from_fn::<u8, 16, _>(|i| entropy[i]));
        let own_secret = Secrets::new(vec![draw()?]);
        let rate = match &rules.rate {
            Some(rate) => Some(Arc::new(RateLimit::new(rate.clone(), draw()?))),
            None => None,
        };
        let settings = Settings { keys, ..Settings::default() };
        let front = Self {
            rules: rules.clone(),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            guard: files.tls.clone().map(|tls| Arc::new(ArcSwap::new(tls))),
            rate,
            own_secret,
        };
        front.take(files);
        Ok(front)
    }

    /// Puts into force what the files hold.
    fn take(&self, files: FrontFiles) {
        let FrontRules { identity, version, udp_octets, cookies: mode, .. } = &self.rules;
        let secrets = files.cookies.or_else(|| self.own_secret.clone());
        let required = *mode == CookieMode::Required;
        let cookies = secrets.filter(|_| *mode != CookieMode::Off);
        let cookies = cookies.map(|secrets| Cookies { secrets, required });
        self.settings.rcu(|old| Settings {
            identity: identity.clone(),
            version: version.clone(),
            udp_octets: *udp_octets,
            cookies: cookies.clone(),
            keys: old.keys.clone(),
            readers: old.readers.clone(),
        });
        if let (Some(guard), Some(tls)) = (&self.guard, files.tls) {
            guard.store(tls);
        }
    }

    /// Serves clients: TCP and TLS in `tasks`, UDP in threads of its own, which end with what is returned.
    pub fn serve(
        self,
        listeners: Listeners,
        addresses: &[SocketAddr],
        service: Service,
        tasks: &mut JoinSet<()>,
    ) -> Result<Vec<UdpServer>, Error> {
        let service = service.limited(self.rate.clone());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let start = |at: &SocketAddr| {
            UdpServer::start(*at, threads, &service).map_err(|e| cannot_bind("DNS over UDP", *at, &e))
        };
        let udp = addresses.iter().map(start).collect::<Result<_, _>>()?;
        let places = Places::new(self.rules.tcp);
        for listener in listeners.plain {
            tasks.spawn(tcp::serve(listener, service.clone(), places.clone(), None));
        }
        for listener in listeners.tls {
            tasks.spawn(tcp::serve(listener, service.clone(), places.clone(), self.guard.clone()));
        }
        let mut told = signal(SignalKind::hangup()).map_err(cannot_start)?;
        tasks.spawn(async move {
            let mut seen = self.stamps();
            loop {
                let hung_up = tokio::select! {
                    // No signal comes any more: only the clock is left.
                    Some(()) = told.recv() => true,
                    () = tokio::time::sleep(LOOK) => false,
                };
                let stamps = self.stamps();
                if hung_up || stamps != seen {
                    seen = stamps;
                    self.read_again();
                }
            }
        });
        Ok(udp)
    }

    fn read_again(&self) {
        match self.rules.files() {
            Ok(files) => {
                self.take(files);
                info!("certificates and cookie secrets are read anew");
            }
            Err(problems) => {
                problems.iter().for_each(|problem| warn!("{problem}; what was read before stays"))
            }
        }
    }

    /// What tells one state of the files from another.
    fn stamps(&self) -> Vec<Option<(u64, u64, i64, i64)>> {
        let stamp = |path| {
            let about = std::fs::metadata(path).ok()?;
            Some((about.ino(), about.len(), about.mtime(), about.mtime_nsec()))
        };
        self.rules.paths().into_iter().map(stamp).collect()
    }
}
