//! What crosses a link or stands in a log record: one encoding for each value, and none for what does not fit.
//!
//! The first octet chooses what the rest should be.

use super::replica;
use borsh::{BorshDeserialize, BorshSerialize};
use conclave::codec::{decode, encode};
use conclave::dns::{Record as DnsRecord, Rrset};
use conclave::limits::{MAX_FRAME_BYTES, MAX_REQUEST_BYTES};
use conclave::replica::{PeerMessage, Record};
use conclave::zone::{Command, Contents, OperatorVote, Parcel, Request};

pub fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 6 {
        0 => same::<PeerMessage>(bytes, MAX_FRAME_BYTES),
        1 => same::<Record>(bytes, MAX_FRAME_BYTES),
        2 => same::<Request>(bytes, MAX_REQUEST_BYTES),
        3 => same::<DnsRecord>(bytes, MAX_FRAME_BYTES),
        4 => same::<Rrset>(bytes, MAX_FRAME_BYTES),
        _ => contents(bytes),
    }
}

/// Contents of a command, and the pieces in which they come.
fn contents(bytes: &[u8]) {
    same::<Contents>(bytes, MAX_FRAME_BYTES);
    let Ok(parcel) = Parcel::new(bytes.to_vec()) else { return };
    let pieces = (0..parcel.count()).filter_map(|index| parcel.piece(index));
    let fits = |piece: Request| encode(&piece).len() <= MAX_REQUEST_BYTES;
    assert!(pieces.map(fits).filter(|fits| *fits).count() == parcel.count() as usize);
    assert!(parcel.piece(parcel.count()).is_none());
}

fn same<T: BorshDeserialize + BorshSerialize>(bytes: &[u8], limit: usize) {
    if let Ok(value) = decode::<T>(bytes, limit) {
        assert_eq!(encode(&value), bytes, "a second encoding");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let kind = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    let records = super::message::records();
    let update = Request::Update { wire: super::keys::nsupdate() };
    let read = Request::Query { wire: super::keys::nsupdate(), nonce: [7; 16] };
    let mut seeds: Vec<Vec<u8>> = replica::said().iter().map(|message| kind(0, message)).collect();
    seeds.push(kind(1, &encode(&Record::Signature { job: Default::default(), bytes: vec![1; 128] })));
    seeds.extend([update, read].map(|request| kind(2, &encode(&request))));
    let command = encode(&"zone z. freeze".parse::<Command>().expect("a command"));
    let vote = OperatorVote { by: [1; 32], count: 1, after: 0, command, signature: [2; 64] };
    let policy = encode(&Contents::Policy(vec!["deny * zonesub".into(); 2_000]));
    let parcel = Parcel::new(policy.clone()).expect("contents");
    seeds.extend(
        [Some(Request::Operator(Box::new(vote))), parcel.piece(1)]
            .into_iter()
            .flatten()
            .map(|one| kind(2, &encode(&one))),
    );
    seeds.push(kind(5, &policy));
    let sets = records
        .iter()
        .map(|record| (record.name.clone(), Rrset::of(record.rtype, 60, [record.rdata.clone()])));
    seeds.push(kind(5, &encode(&Contents::Records(sets.collect()))));
    seeds.extend(records.iter().take(4).map(|record| kind(3, &encode(record))));
    let set = Rrset::of(records[3].rtype, 60, records.iter().map(|record| record.rdata.clone()));
    seeds.push(kind(4, &encode(&set)));
    seeds
}
