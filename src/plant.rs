//! Planted bugs: what has gone wrong elsewhere, and could here, behind switches that only the library's own tests have.
//!
//! A checker that finds no planted bug proves nothing. So each `Plant` is one wrong line, at the place where somebody could
//! have written it: `if planted!(ThatBug) { wrong } else { right }`. In what is shipped `planted!` is the word `false`: there
//! is no switch, and nothing to turn on. `tests` sows one plant at a time, runs whole replicas in the simulator, and
//! demands that a checker finds it within a stated number of seeds.
//!
//! A plant is in the code of every replica, the corrupt ones and the trusted server of the checks included, as a bug would be,
//! unless it is sown at the first replica only. So what finds it is never that one copy of the code is sound.

/// Whether a bug is planted here. In what is shipped: `false`.
#[cfg(not(test))]
macro_rules! planted {
    ($plant:ident) => {
        false
    };
}

/// Whether a bug is planted here.
#[cfg(test)]
macro_rules! planted {
    ($plant:ident) => {
        $crate::plant::is_planted($crate::plant::Plant::$plant)
    };
}

#[cfg(test)]
mod bugs;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use bugs::{Plant, Whose, at, is_planted, sown};
