//! DNS over UDP: threads that take and send messages many at a time (recvmmsg and sendmmsg, which neither the standard
//! library nor rustix offers).
//!
//! Each thread has its own socket; with several threads the kernel spreads clients over them (SO_REUSEPORT). A thread
//! waits for one datagram, takes what else is there, answers all, and sends all answers in one call: no lock (unless rates
//! are limited, [`super::rate`]), no allocation besides an answer's own, no other thread. What must go through the replica is handed on with a callback
//! that sends the reply from the same socket; how much may wait there the replica's entrance bounds. A thread without
//! work sleeps: shutting its socket down wakes it to see that the server is to stop.

use super::clients::OnReply;
use super::service::{Service, not_taken, now_secs};
use crate::answer::{Client, Reply, Request, Subject, Transport, respond};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Datagrams taken with one system call.
const BATCH: usize = 32;
/// Octets of one datagram at most: all that UDP can carry, so that none is cut. Untouched pages take no memory.
const DATAGRAM: usize = 65_536;
/// How long a thread may not notice that it is to stop, should shutting its socket down not wake it.
const STOP_POLL: Duration = Duration::from_secs(5);
/// Octets that may wait in the kernel on each side of a socket.
const SOCKET_BUFFER: usize = 1 << 20;

/// The threads that serve one address. Dropping it stops them.
pub struct UdpServer {
    local: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<(Arc<Socket>, JoinHandle<()>)>,
}

impl UdpServer {
    /// Binds `address` (port 0: any) and serves it with `threads` threads, at least one.
    pub fn start(address: SocketAddr, threads: usize, service: &Service) -> io::Result<Self> {
        // With SO_REUSEPORT the kernel would not tell us that another process has the port; so ask without it first.
        let first = bind(address, false)?;
        let local = first.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut sockets = vec![first];
        if threads > 1 {
            sockets.clear();
            for _ in 0..threads {
                sockets.push(bind(local, true)?);
            }
        }
        let mut server = Self { local, stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        for socket in sockets {
            let socket = Arc::new(socket);
            let (service, stop, ours) = (service.clone(), server.stop.clone(), socket.clone());
            let name = format!("udp {local}");
            let run = move || serve(&ours, &service, &stop);
            server.threads.push((socket, std::thread::Builder::new().name(name).spawn(run)?));
        }
        Ok(server)
    }

    /// The address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for UdpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for (socket, _) in &self.threads {
            // Linux says that the socket is not connected, and wakes who waits at it all the same.
            let _ = socket.shutdown(Shutdown::Read);
        }
        for (_, thread) in self.threads.drain(..) {
            // A thread that panicked has told so on stderr.
            let _ = thread.join();
        }
    }
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    // As much as the system allows: less is not an error.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_read_timeout(Some(STOP_POLL))?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn serve(socket: &Arc<Socket>, service: &Service, stop: &AtomicBool) {
    let mut datagrams = vec![0; BATCH * DATAGRAM];
    let mut peers = [Peer::NONE; BATCH];
    let mut lengths = [0; BATCH];
    let mut answers: Vec<Vec<u8>> = (0..BATCH).map(|_| Vec::with_capacity(1500)).collect();
    let anybody = Client::over(Transport::Udp);
    while !stop.load(Ordering::Relaxed) {
        let taken = match receive(socket, &mut datagrams, &mut peers, &mut lengths) {
            Ok(taken) => taken,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(error) => {
                // An ICMP error, or memory is short: neither ends the service, neither may spin.
                tracing::debug!(%error, "cannot receive");
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
        };
        let (catalog, settings, now) = (service.catalog.load(), service.settings.load(), now_secs());
        answers.iter_mut().for_each(Vec::clear);
        for index in 0..taken {
            let wire = &datagrams[index * DATAGRAM..][..lengths[index]];
            let out = &mut answers[index];
            let Some(address) = peers[index].address() else { continue };
            let request = Request { wire, client: Client { address, ..anybody }, now_secs: now };
            match respond(&catalog, &settings, request, out) {
                Reply::Send(subject) => {
                    service.limit(request, &subject, out);
                }
                Reply::Ignore => out.clear(),
                Reply::Forward(subject) => {
                    out.clear();
                    // A query that would not be answered is not ordered either.
                    if subject.is_some_and(|subject| !service.limit(request, &subject, out)) {
                        continue;
                    }
                    let reply = reply_to(socket, (peers[index], wire), request.client, service);
                    if (service.forward)(wire.to_vec(), request.client, reply).is_err() {
                        not_taken(&settings, request, out);
                        service.limit(request, &Subject::error(false), out);
                    }
                }
            }
        }
        send(socket, &answers[..taken], &peers[..taken], 0);
    }
}

/// Sends the replica's reply from the socket at which it was asked, without ever waiting.
fn reply_to(socket: &Arc<Socket>, (peer, wire): (Peer, &[u8]), client: Client, service: &Service) -> OnReply {
    let (socket, service, asked) = (socket.clone(), service.clone(), wire.to_vec());
    Box::new(move |reply| {
        let Some(mut reply) = reply else { return };
        // A refusal may go to a forged address, unless who sent the request has signed it.
        if reply.get(3).is_some_and(|octet| octet & 0x0F != 0) && !service.is_authentic(&asked) {
            let request = Request { wire: &[], client, now_secs: 0 };
            service.limit(request, &Subject::error(false), &mut reply);
        }
        send(&socket, &[reply], &[peer], libc::MSG_DONTWAIT);
    })
}

/// A client's address as the kernel gave it.
#[derive(Clone, Copy)]
struct Peer {
    address: libc::sockaddr_storage,
    length: libc::socklen_t,
}

impl Peer {
    // SAFETY: sockaddr_storage is plain integers; all zeros is AF_UNSPEC.
    const NONE: Self = Self { address: unsafe { std::mem::zeroed() }, length: 0 };

    /// The IP address, if it is one.
    fn address(&self) -> Option<IpAddr> {
        let at = &raw const self.address;
        match libc::c_int::from(self.address.ss_family) {
            libc::AF_INET => {
                // SAFETY: the kernel, or `NONE`, has filled all of the storage, which is larger than a sockaddr_in, as
                // strictly aligned, and plain integers; its family says that it is one.
                let address = unsafe { (*at.cast::<libc::sockaddr_in>()).sin_addr };
                Some(Ipv4Addr::from(address.s_addr.to_ne_bytes()).into())
            }
            libc::AF_INET6 => {
                // SAFETY: as above, with sockaddr_in6.
                let address = unsafe { (*at.cast::<libc::sockaddr_in6>()).sin6_addr };
                Some(Ipv6Addr::from(address.s6_addr).into())
            }
            _ => None,
        }
    }
}

/// Waits for a datagram (at most the socket's read timeout) and takes up to [`BATCH`]: how many. Datagram i is the first
/// `lengths[i]` octets of the i-th piece of `datagrams`.
fn receive(
    socket: &Socket,
    datagrams: &mut [u8],
    peers: &mut [Peer; BATCH],
    lengths: &mut [usize; BATCH],
) -> io::Result<usize> {
    assert_eq!(datagrams.len(), BATCH * DATAGRAM);
    // SAFETY: iovec and mmsghdr are plain integers and pointers, for which zero is a value.
    let (mut pieces, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
        unsafe { std::mem::zeroed() };
    for (index, piece) in datagrams.chunks_exact_mut(DATAGRAM).enumerate() {
        pieces[index] = libc::iovec { iov_base: piece.as_mut_ptr().cast(), iov_len: DATAGRAM };
        let header = &mut headers[index].msg_hdr;
        header.msg_name = (&raw mut peers[index].address).cast();
        header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut pieces[index];
        header.msg_iovlen = 1;
    }
    // SAFETY: the descriptor is open while `socket` is borrowed; each header points to one address and one iovec, each
    // iovec to its own piece of `datagrams` and its length; all of these outlive the call, and nothing else is
    // using them, since they are borrowed mutably or local.
    let taken = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            BATCH as libc::c_uint,
            libc::MSG_WAITFORONE,
            std::ptr::null_mut(),
        )
    };
    let taken = usize::try_from(taken).map_err(|_| io::Error::last_os_error())?.min(BATCH);
    for index in 0..taken {
        lengths[index] = (headers[index].msg_len as usize).min(DATAGRAM);
        peers[index].length =
            headers[index].msg_hdr.msg_namelen.min(size_of::<libc::sockaddr_storage>() as u32);
    }
    Ok(taken)
}

/// Sends each answer that is not empty to its peer. One that cannot be sent is lost, as UDP may.
fn send(socket: &Socket, answers: &[Vec<u8>], peers: &[Peer], flags: libc::c_int) {
    assert!(answers.len() == peers.len() && answers.len() <= BATCH);
    // SAFETY: as in `receive`.
    let (mut pieces, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
        unsafe { std::mem::zeroed() };
    let mut count = 0;
    for (answer, peer) in answers.iter().zip(peers).filter(|(answer, _)| !answer.is_empty()) {
        // sendmsg takes pointers to mutable memory, and does not write through them.
        pieces[count] = libc::iovec { iov_base: answer.as_ptr().cast_mut().cast(), iov_len: answer.len() };
        let header = &mut headers[count].msg_hdr;
        header.msg_name = (&raw const peer.address).cast_mut().cast();
        header.msg_namelen = peer.length;
        header.msg_iov = &raw mut pieces[count];
        header.msg_iovlen = 1;
        count += 1;
    }
    let mut sent = 0;
    while sent < count {
        let rest = &mut headers[sent..count];
        // SAFETY: the descriptor is open while `socket` is borrowed; `rest` has as many headers as we say, each
        // with one address and one iovec over octets that are borrowed for the whole call and only read.
        let done = unsafe {
            libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as libc::c_uint, flags)
        };
        // The first that cannot be sent (port 0, no route, a full queue) must not hold up the others.
        sent += usize::try_from(done).map_or(1, |done| done.max(1));
    }
}

#[cfg(test)]
mod tests;
