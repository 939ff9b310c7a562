//! The signatures of one RRset: none, one, or, while keys are rolled, one by each of several keys.

use super::signature::Signature;
use crate::dns::Rdata;
use std::sync::{Arc, OnceLock};

/// In the order in which their keys sign. Nearly every RRset has one: that one costs no list.
#[derive(Clone, Debug, Default)]
pub(super) enum Signatures {
    #[default]
    None,
    One(Arc<Signature>),
    Many(Arc<Many>),
}

/// More than one.
#[derive(Debug)]
pub(super) struct Many {
    plans: Vec<Arc<Signature>>,
    /// Their rdata, once all are there.
    rdatas: OnceLock<Vec<Rdata>>,
}

impl Signatures {
    pub(super) fn of(mut plans: Vec<Arc<Signature>>) -> Self {
        match plans.len() {
            0 => Self::None,
            1 => plans.pop().map_or(Self::None, Self::One),
            _ => Self::Many(Arc::new(Many { plans, rdatas: OnceLock::new() })),
        }
    }

    pub(super) fn plans(&self) -> &[Arc<Signature>] {
        match self {
            Self::None => &[],
            Self::One(plan) => std::slice::from_ref(plan),
            Self::Many(many) => &many.plans,
        }
    }

    /// The RRSIG rdata; none while one is waited for.
    pub(super) fn rdatas(&self) -> &[Rdata] {
        match self {
            Self::None => &[],
            Self::One(plan) => plan.rdata(),
            Self::Many(many) if many.plans.iter().all(|plan| plan.is_complete()) => {
                let all = || many.plans.iter().flat_map(|plan| plan.rdata().iter().cloned()).collect();
                many.rdatas.get_or_init(all)
            }
            Self::Many(_) => &[],
        }
    }
}
