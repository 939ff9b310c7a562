//! What faces clients: sockets, settings, bounds, and the files behind them, which may change while the replica runs.
//!
//! The files are looked at every few seconds, and at SIGHUP. What they hold then is for new connections and new
//! queries; where it is wrong, that is logged, and what was read before stays.
#![forbid(unsafe_code)]

use super::Error;
use super::config::{CookieMode, FrontFiles, FrontRules, ReplicaFile, TlsRules};
use super::doq;
use super::ending::{self, Ending, Teller};
use super::engine::{cannot_bind, cannot_start, entropy};
use super::places::Places;
use super::rate::RateLimit;
use super::service::Service;
use super::tcp::{self, Door, Guard};
use super::udp::UdpServer;
use crate::answer::{Cookies, Settings};
use crate::dns::cookie::Secrets;
use crate::dns::tsig::Keyring;
use arc_swap::ArcSwap;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How long connections may take to end.
const LEAVING: Duration = Duration::from_secs(1);

/// The sockets of clients, bound before anything is changed; without those of plain UDP.
pub(super) struct Listeners {
    plain: Vec<TcpListener>,
    tls: Vec<TcpListener>,
    https: Vec<TcpListener>,
    quic: Vec<UdpSocket>,
}

impl Listeners {
    pub fn bind(file: &ReplicaFile) -> Result<Self, Error> {
        let bind = |what, addresses: &[SocketAddr]| {
            let each = addresses.iter().map(|at| tcp::bind(*at).map_err(|e| cannot_bind(what, *at, &e)));
            each.collect::<Result<Vec<_>, _>>()
        };
        let FrontRules { tls, https, quic, .. } = &file.front;
        let of = |rules: Option<&TlsRules>| rules.map_or(Vec::new(), |rules| rules.listen.clone());
        let quic = of(quic.as_ref());
        let quic = quic.iter().map(|at| doq::bind(*at).map_err(|e| cannot_bind("DNS over QUIC", *at, &e)));
        Ok(Self {
            plain: bind("DNS over TCP", &file.dns)?,
            tls: bind("DNS over TLS", &of(tls.as_ref()))?,
            https: bind("DNS over HTTPS", &of(https.as_ref().map(|https| &https.tls)))?,
            quic: quic.collect::<Result<_, _>>()?,
        })
    }
}

/// What serves clients, until it is told to end.
pub(super) struct Serving {
    udp: Vec<UdpServer>,
    streams: JoinSet<()>,
    teller: Teller,
}

impl Serving {
    /// Answers what was asked, takes nothing more, and ends.
    pub async fn end(mut self) {
        drop(self.udp);
        self.teller.tell();
        // Who is not through by then is cut off.
        let _ = timeout(LEAVING, async { while self.streams.join_next().await.is_some() {} }).await;
    }
}

/// The rules of one replica, and what is in force of the files that they name.
#[derive(Clone)]
pub(super) struct Front {
    rules: FrontRules,
    /// How queries are answered.
    pub settings: Arc<ArcSwap<Settings>>,
    tls: Option<Guard>,
    https: Option<Guard>,
    quic: Option<doq::Guard>,
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
            tls: files.tls.clone().map(|tls| Arc::new(ArcSwap::new(tls))),
            https: files.https.clone().map(|https| Arc::new(ArcSwap::new(https))),
            quic: files.quic.clone().map(|quic| Arc::new(ArcSwap::new(quic))),
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
            stale: old.stale,
            readers: old.readers.clone(),
        });
        for (guard, read) in [(&self.tls, files.tls), (&self.https, files.https)] {
            if let (Some(guard), Some(read)) = (guard, read) {
                guard.store(read);
            }
        }
        if let (Some(guard), Some(read)) = (&self.quic, files.quic) {
            guard.store(read);
        }
    }

    /// Serves clients, UDP in threads of its own; the files are looked after in `tasks`.
    pub fn serve(
        self,
        listeners: Listeners,
        addresses: &[SocketAddr],
        service: Service,
        tasks: &mut JoinSet<()>,
    ) -> Result<Serving, Error> {
        let service = service.limited(self.rate.clone());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let start = |at: &SocketAddr| {
            UdpServer::start(*at, threads, &service).map_err(|e| cannot_bind("DNS over UDP", *at, &e))
        };
        let udp = addresses.iter().map(start).collect::<Result<_, _>>()?;
        let (teller, ending) = ending::pair();
        let mut serving = Serving { udp, streams: JoinSet::new(), teller };
        self.serve_streams(listeners, &service, &ending, &mut serving.streams)?;
        self.watch(tasks)?;
        Ok(serving)
    }

    fn serve_streams(
        &self,
        listeners: Listeners,
        service: &Service,
        ending: &Ending,
        streams: &mut JoinSet<()>,
    ) -> Result<(), Error> {
        let places = Places::new(self.rules.tcp);
        let path = self.rules.https.as_ref().map(|https| https.path.as_str());
        let path: Arc<str> = path.unwrap_or_default().into();
        let https = self.https.clone().map(|guard| Door::Https(guard, path));
        let doors = [
            (listeners.plain, Some(Door::Plain)),
            (listeners.tls, self.tls.clone().map(Door::Tls)),
            (listeners.https, https),
        ];
        for (listeners, door) in doors {
            // Without a door there are no listeners.
            for (listener, door) in listeners.into_iter().zip(door.into_iter().cycle()) {
                streams.spawn(tcp::serve(listener, service.clone(), places.clone(), door, ending.clone()));
            }
        }
        for (socket, guard) in listeners.quic.into_iter().zip(self.quic.iter().cycle()) {
            let endpoint = doq::endpoint(socket, guard).map_err(cannot_start)?;
            let (service, places, guard) = (service.clone(), places.clone(), guard.clone());
            streams.spawn(doq::serve(endpoint, service, places, guard, ending.clone()));
        }
        Ok(())
    }

    /// Looks after the files.
    fn watch(self, tasks: &mut JoinSet<()>) -> Result<(), Error> {
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
        Ok(())
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
