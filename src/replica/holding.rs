//! New keys of which this replica holds its share: it says their bundles when its operator brings them, and gives its
//! receipts, again as long as the executed state lacks one.
use super::{Output, Replica};
use crate::codec::{Digest, encode};
use crate::time::UnixMillis;
use crate::zone::{CheckedBundle, Receipt, Request, SAID_DOMAIN, Saying};

impl Replica {
    /// This replica holds a share: its receipt is proposed as soon as the bundle has come.
    pub fn hold(&mut self, receipt: Receipt) {
        self.receipts.insert(receipt.bundle, receipt);
    }

    /// The operator has brought a bundle, and its share was opened: both are told to all. An error if there is no room for it now.
    pub fn bring(
        &mut self,
        now: UnixMillis,
        bundle: &CheckedBundle,
        receipt: Receipt,
    ) -> Result<Output, &'static str> {
        if self.last.is_some() {
            return Err("the epoch is over: nothing is ordered any more");
        }
        let identity = self.consensus.identity();
        let sign = |digest: &Digest| identity.sign_in(SAID_DOMAIN, digest);
        let what = Saying::Bundle(Box::new(bundle.bundle().clone()));
        let said = encode(&Request::Said(self.machine.saying(self.me, what, sign)));
        let given = encode(&Request::Receipt(Box::new(receipt.clone())));
        if !self.consensus.has_room(said.len() + given.len()) {
            return Err("too many requests wait here: try again later");
        }
        self.hold(receipt);
        self.refreshes.hold(bundle.public());
        let mut out = self.order_all(now, [said, given]);
        // Of a key that is in use already, and whose share was lost here.
        let step = self.signing.share_has_come(bundle.key_id());
        self.absorb_signing(step, &mut out);
        Ok(out)
    }

    /// The receipts of this replica that the executed state lacks.
    pub(super) fn lacking_receipts(&self) -> impl Iterator<Item = Request> {
        let lacking = self.machine.unreceipted(self.me).into_iter();
        lacking.filter_map(|name| self.receipts.get(&name)).map(|one| Request::Receipt(Box::new(one.clone())))
    }
}
