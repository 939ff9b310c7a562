//! What travels on a connection; the bytes are described in the [module's doc](super).

use crate::codec::{self, ClusterId, DecodeError, Epoch};
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::ReplicaId;
use borsh::{BorshDeserialize, BorshSerialize};

/// The version of the wire format between peers.
pub const VERSION: u32 = 1;

/// Bytes by which a data frame is longer than its message.
const DATA_OVERHEAD_BYTES: usize = 1 + 8 + 4;

/// Bytes of one message: a frame without its tag, its number and its length.
pub const MAX_MESSAGE_BYTES: usize = MAX_FRAME_BYTES - DATA_OVERHEAD_BYTES;

/// The first frame in each direction of each connection.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// The sender's cluster.
    pub cluster: ClusterId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// The sender.
    pub me: ReplicaId,
    /// The sender's incarnation.
    pub incarnation: u64,
    /// The number of the oldest message that the sender still holds, or else of its next one.
    pub oldest: u64,
    /// What the sender has received from the addressee: of which incarnation, and the number it expects next.
    pub received: Option<(u64, u64)>,
}

/// A frame.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub(super) enum Frame {
    Hello(Hello),
    /// A message and its number.
    Data(u64, Vec<u8>),
    /// All messages with lower numbers have arrived.
    Ack(u64),
}

impl Frame {
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The encoding of `Data(number, message)` without a copy of the message in between.
    pub fn encode_data(number: u64, message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(DATA_OVERHEAD_BYTES + message.len());
        bytes.push(1);
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(&(message.len() as u32).to_le_bytes());
        bytes.extend_from_slice(message);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_FRAME_BYTES)
    }
}
