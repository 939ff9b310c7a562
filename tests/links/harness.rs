//! Endpoints of links in one process, proxies that cut, and a TLS client that believes anyone.

use conclave::codec::{ClusterId, Digest, Epoch};
use conclave::link::Local;
use conclave::quorum::ReplicaId;
use conclave::runtime::config::Tls;
use conclave::runtime::inbox::Inbox;
use conclave::runtime::peers::{FromPeer, Peers, Setup, start};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const LANE_BYTES: usize = 8 * 1024 * 1024;

pub fn id(index: usize) -> ReplicaId {
    ReplicaId::new(index as u8).unwrap()
}

pub fn cluster(byte: u8) -> ClusterId {
    ClusterId(Digest([byte; 32]))
}

/// A member's certificate, key and public key.
pub struct Identity {
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
    pub public: [u8; 32],
}

pub fn identity() -> Identity {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
    Identity {
        certificate: certificate.der().to_vec(),
        key: pair.serialize_der(),
        public: pair.public_key_raw().try_into().unwrap(),
    }
}

pub fn tls(identities: &[Identity], me: usize) -> Tls {
    Tls {
        certificate: identities[me - 1].certificate.clone(),
        key: identities[me - 1].key.clone().into(),
        identities: identities.iter().map(|i| i.public).collect(),
    }
}

/// One replica's end of all its links.
pub struct Endpoint {
    pub peers: Peers,
    pub inbox: Inbox<FromPeer>,
    pub tasks: JoinSet<()>,
}

pub fn endpoint(
    local: Local,
    tls: Tls,
    listener: TcpListener,
    addresses: BTreeMap<ReplicaId, String>,
) -> Endpoint {
    let mut inbox = Inbox::new();
    let others = (1..=tls.identities.len()).map(id).filter(|other| *other != local.me);
    let lanes = others.map(|other| (other, inbox.lane(1000, LANE_BYTES))).collect();
    let mut tasks = JoinSet::new();
    let peers = start(Setup { local, tls, listener, addresses, lanes }, &mut tasks).unwrap();
    Endpoint { peers, inbox, tasks }
}

pub async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Forwards to `target` until `cuts` changes, then drops both sides and goes on with the next connection.
pub async fn proxy(listener: TcpListener, target: SocketAddr, mut cuts: watch::Receiver<u32>) {
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let Ok(mut far) = TcpStream::connect(target).await else { continue };
        cuts.mark_unchanged();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            _ = cuts.changed() => {}
        }
    }
}

pub fn message(number: u64) -> Arc<[u8]> {
    let length = 8 + (number * 2_654_435_761 % 3000) as usize;
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

/// Endpoints of n replicas, each link through a proxy that can cut it.
pub struct Cluster {
    pub endpoints: Vec<Endpoint>,
    /// The dialling replica's slot, the other, and what cuts their connection.
    pub cutters: Vec<(usize, ReplicaId, watch::Sender<u32>)>,
}

pub async fn cluster_of(n: usize) -> Cluster {
    let identities: Vec<Identity> = (0..n).map(|_| identity()).collect();
    let mut listeners = Vec::new();
    for _ in 0..n {
        listeners.push(bind().await);
    }
    let targets: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
    let (mut endpoints, mut cutters) = (Vec::new(), Vec::new());
    for (slot, (listener, _)) in listeners.into_iter().enumerate() {
        let mut addresses = BTreeMap::new();
        for (other, target) in targets.iter().enumerate().skip(slot + 1) {
            let (near, address) = bind().await;
            let (cut, cuts) = watch::channel(0);
            tokio::spawn(proxy(near, *target, cuts));
            addresses.insert(id(other + 1), address.to_string());
            cutters.push((slot, id(other + 1), cut));
        }
        let local = local(slot + 1, cluster(1));
        endpoints.push(endpoint(local, tls(&identities, slot + 1), listener, addresses));
    }
    Cluster { endpoints, cutters }
}

pub fn local(me: usize, cluster: ClusterId) -> Local {
    Local { cluster, epoch: Epoch(0), me: id(me), incarnation: me as u64 }
}

pub fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let from = Instant::now();
    while !condition() {
        assert!(from.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A TLS client that believes any server, with a certificate of `who`.
pub async fn connect_as(who: &Identity, target: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let key = PrivateKeyDer::Pkcs8(who.key.clone().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelieveAnyone))
        .with_client_auth_cert(vec![who.certificate.clone().into()], key)
        .unwrap();
    let stream = TcpStream::connect(target).await?;
    TlsConnector::from(Arc::new(config)).connect("x.invalid".try_into().unwrap(), stream).await
}

#[derive(Debug)]
pub struct BelieveAnyone;

impl ServerCertVerifier for BelieveAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

pub fn clone(identity: &Identity) -> Identity {
    Identity { certificate: identity.certificate.clone(), key: identity.key.clone(), public: identity.public }
}
