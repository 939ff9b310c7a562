//! A replica that follows the broadcast but spoils every signature share, proof and finished signature it sends: for the
//! tests only, on the same library, never in the shipped programs.
//!
//! `garbage_replica REPLICA.TOML`

use conclave::codec::{decode, encode};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::replica::PeerMessage;
use conclave::runtime::{Options, config::ReplicaFile, run};
use conclave::signing::Message;

fn spoil(bytes: &mut Vec<u8>) {
    let Ok(PeerMessage::Signing(mut message)) = decode::<PeerMessage>(bytes, MAX_FRAME_BYTES) else { return };
    let flip = |octets: &mut Vec<u8>| octets.iter_mut().for_each(|octet| *octet ^= 1);
    match &mut message {
        Message::Shares(shares) => shares.iter_mut().for_each(|(_, share)| flip(&mut share.0)),
        Message::Proofs(proofs) => proofs.iter_mut().for_each(|(_, share, _)| flip(&mut share.0)),
        Message::Finished(finished) => finished.iter_mut().for_each(|(_, signature)| flip(signature)),
        Message::Ask(_) | Message::AskProofs(_) => {}
    }
    *bytes = encode(&PeerMessage::Signing(message));
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: garbage_replica REPLICA.TOML");
    let file = ReplicaFile::read(path.as_ref()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = Options { outbound: Some(Box::new(|_, bytes| spoil(bytes))), ..Options::default() };
    if let Err(error) = run(file, options) {
        eprintln!("garbage_replica: {error}");
        std::process::exit(1);
    }
}
