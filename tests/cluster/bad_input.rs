//! Anything may arrive on any socket: no replica dies, no zone changes, no memory runs away.

use crate::harness::{Demo, Key, has};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

/// A small, printed-seed generator (SplitMix64): the tests need no more.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.next() as usize % (most + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn any_bytes_on_any_port_leave_the_cluster_whole() {
    if !has("nsupdate") {
        return;
    }
    let seed = std::env::var("CONCLAVE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
    eprintln!("CONCLAVE_SEED={seed}");
    let mut chance = Chance(seed);
    let demo = Demo::start(4);
    let before = demo.agreed_export(&[1, 2, 3, 4], "example.test");
    let pids: Vec<u32> = (1..=4).map(|i| demo.pid(i)).collect();
    let memory: Vec<u64> = pids.iter().map(|p| resident_kib(*p)).collect();
    for i in 1..=4u16 {
        let (dns, peer) = (demo.base + i, demo.base + 100 + i);
        udp_garbage(&mut chance, dns);
        tcp_garbage(&mut chance, dns, true);
        tcp_garbage(&mut chance, peer, false);
    }
    for (pid, was) in pids.iter().zip(memory) {
        let now = resident_kib(*pid);
        assert!(now < was + 64 * 1024, "process {pid} grew from {was} to {now} KiB");
    }
    assert_eq!(demo.agreed_export(&[1, 2, 3, 4], "example.test"), before);
    demo.update(1, Key::Tsig, "update add alive.example.test 60 A 192.0.2.1");
    for (i, pid) in (1..=4).zip(pids) {
        assert_eq!(demo.pid(i), pid);
        demo.wait_answer(i, "alive.example.test", "A", "192.0.2.1");
    }
}

fn udp_garbage(chance: &mut Chance, port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for round in 0..2_000 {
        let mut bytes = chance.bytes(600);
        if round % 2 == 0 && bytes.len() >= 12 {
            // A plausible header: one question, opcode QUERY or UPDATE, QR = 0.
            bytes[2] = if round % 4 == 0 { 0x28 } else { 0 };
            bytes[4..12].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 1]);
        }
        let _ = socket.send_to(&bytes, ("127.0.0.1", port));
    }
}

fn tcp_garbage(chance: &mut Chance, port: u16, framed: bool) {
    for _ in 0..40 {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let bytes = chance.bytes(4_000);
        if framed {
            let _ = stream.write_all(&(bytes.len() as u16).to_be_bytes());
        }
        let _ = stream.write_all(&bytes);
        let _ = stream.read(&mut [0; 512]);
    }
}

#[test]
fn responses_are_never_answered() {
    let demo = Demo::start(1);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    // A response (QR = 1) to SOA example.test, then the same as a query: only the second is answered.
    let mut packet = vec![0x11, 0x11, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend(b"\x07example\x04test\x00\x00\x06\x00\x01");
    socket.send_to(&packet, ("127.0.0.1", demo.base + 1)).unwrap();
    packet[..3].copy_from_slice(&[0x22, 0x22, 0]);
    socket.send_to(&packet, ("127.0.0.1", demo.base + 1)).unwrap();
    socket.set_read_timeout(Some(crate::harness::DEADLINE)).unwrap();
    let mut answer = [0; 1500];
    socket.recv(&mut answer).unwrap();
    assert_eq!(answer[..2], [0x22, 0x22], "the packet with QR = 1 got an answer");
}
