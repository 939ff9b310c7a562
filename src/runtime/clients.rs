//! The way of a client's update or ordered query to the replica and of the reply back.
#![forbid(unsafe_code)]

/// What to do with a reply: called once, from the replica's thread, so it must not block.
/// `None`: the replica has ended, or the client was forgotten.
pub type OnReply = Box<dyn FnOnce(Option<Vec<u8>>) + Send>;

/// A client's transport, which bounds the size of the reply to an ordered query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// The entrance to the replica for those who serve clients.
#[derive(Clone)]
pub struct ClientPort {}

/// Too many clients wait; answer SERVFAIL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl ClientPort {
    /// Hands an update or ordered query (the client's bytes as received) to the replica and waits for the reply.
    /// `None`: too many wait, or the replica has ended; answer SERVFAIL. Dropping the future forgets the client.
    pub async fn ask(&self, _wire: Vec<u8>, _transport: Transport) -> Option<Vec<u8>> {
        todo!()
    }

    /// The same without waiting, for threads: `reply` is called once with the whole response.
    pub fn try_submit(&self, _wire: Vec<u8>, _transport: Transport, _reply: OnReply) -> Result<(), Busy> {
        todo!()
    }
}
