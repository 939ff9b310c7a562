//! What one signature costs where nobody is corrupt: the numbers of the module's table, exactly.

use super::*;

/// A run in which replicas compute faster than the network delivers, whatever its order: messages sent, and RSA operations
/// of all.
fn cost(protocol: Protocol, n: u8, k: usize, seed: u64) -> (BTreeMap<&'static str, usize>, Effort) {
    let mut net = Network::new(protocol, n, k, &[], seed);
    net.tasks_first = true;
    net.start_together(0..1);
    net.run();
    net.assert_all_finished();
    let mut all = Effort::default();
    for one in net.correct().map(Signing::effort) {
        all.shares += one.shares;
        all.proofs += one.proofs;
        all.verifications += one.verifications;
        all.combinations += one.combinations;
        all.checks += one.checks;
    }
    (net.sent.clone(), all)
}

#[test]
fn without_faults_basic_makes_n_proofs_and_verifies_k_minus_one_at_each_and_the_others_none() {
    for (n, k) in [(1u8, 1), (4, 2), (4, 3), (7, 3), (7, 5), (13, 5), (13, 9)] {
        for (protocol, seed) in
            Protocol::ALL.into_iter().flat_map(|p| seeds(2).into_iter().map(move |s| (p, s)))
        {
            let (sent, effort) = cost(protocol, n, k, seed);
            let told = format!("{protocol}, n = {n}, k = {k}, seed {seed}: {sent:?}");
            let (all, needed) = (u64::from(n), u64::from(n) * (k as u64 - 1));
            let basic = protocol == Protocol::Basic;
            let expected = Effort {
                shares: all,
                proofs: if basic { all } else { 0 },
                verifications: if basic { needed } else { 0 },
                combinations: all,
                checks: 0,
            };
            assert_eq!(effort, expected, "{told}");
            let n = usize::from(n);
            let kind = if basic { "proofs" } else { "shares" };
            let messages = if n > 1 { BTreeMap::from([(kind, n * (n - 1))]) } else { BTreeMap::new() };
            assert_eq!(sent, messages, "{told}");
        }
    }
}

#[test]
fn one_wrong_share_costs_optproof_proofs_and_optte_combinations() {
    for (protocol, proofs) in [(Protocol::OptProof, true), (Protocol::OptTe, false)] {
        let mut net = Network::new(protocol, 7, 3, &[(id(1), Attack::WrongBase)], 2);
        (net.tasks_first, net.corrupt_first) = (true, true);
        net.start_together(0..1);
        net.run();
        net.assert_all_finished();
        let made: u64 = net.correct().map(|signing| signing.effort().proofs).sum();
        let combined: u64 = net.correct().map(|signing| signing.effort().combinations).sum();
        assert_eq!(made > 0, proofs, "{}", net.told());
        assert!(combined > 6, "{}: no attempt failed", net.told());
    }
}
