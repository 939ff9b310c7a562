//! What crosses a link or stands in a log record: one encoding for each value, and none for what does not fit.
//!
//! The first octet chooses what the rest should be.

use super::replica;
use borsh::{BorshDeserialize, BorshSerialize};
use conclave::codec::{decode, encode};
use conclave::dns::{Record as DnsRecord, Rrset};
use conclave::limits::{MAX_FRAME_BYTES, MAX_REQUEST_BYTES};
use conclave::replica::{PeerMessage, Record};
use conclave::zone::Request;

pub fn run(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 5 {
        0 => same::<PeerMessage>(bytes, MAX_FRAME_BYTES),
        1 => same::<Record>(bytes, MAX_FRAME_BYTES),
        2 => same::<Request>(bytes, MAX_REQUEST_BYTES),
        3 => same::<DnsRecord>(bytes, MAX_FRAME_BYTES),
        _ => same::<Rrset>(bytes, MAX_FRAME_BYTES),
    }
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
    seeds.extend(records.iter().take(4).map(|record| kind(3, &encode(record))));
    let set = Rrset::of(records[3].rtype, 60, records.iter().map(|record| record.rdata.clone()));
    seeds.push(kind(4, &encode(&set)));
    seeds
}
