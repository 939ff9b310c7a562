//! Which of the paper's protocols a cluster's sessions follow.

use crate::limits::MAX_OPTTE_TRIES;
use std::fmt;
use std::str::FromStr;

/// How long the sessions of a cluster go on trust. They differ in one number: how many k-subsets of shares without
/// proofs may fail to combine before only proven shares count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Protocol {
    /// None: a share travels with its proof, which is verified before the share is used.
    Basic,
    /// One.
    OptProof,
    /// [`MAX_OPTTE_TRIES`], or all there are.
    #[default]
    OptTe,
}

impl Protocol {
    /// All three, as in the paper.
    pub const ALL: [Self; 3] = [Self::Basic, Self::OptProof, Self::OptTe];

    /// Its name in configuration and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::OptProof => "optproof",
            Self::OptTe => "optte",
        }
    }

    /// k-subsets of bare shares that may fail.
    pub(super) fn bare_tries(self) -> usize {
        match self {
            Self::Basic => 0,
            Self::OptProof => 1,
            Self::OptTe => MAX_OPTTE_TRIES,
        }
    }

    /// Whether shares travel without proofs at first.
    pub(super) fn trusts(self) -> bool {
        self.bare_tries() > 0
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == text);
        found.ok_or_else(|| format!("`{text}` is not one of basic, optproof and optte"))
    }
}
