//! The dealer's work: plan, deal, verify.
