//! Digests as words, to be read aloud and compared.
//!
//! [`WORDS`] words from a list of 256, one for each of the digest's first octets, in lines of four: 192 bits. To find another
//! document with the words of a given one costs 2^192 tries, and to write two documents with the same words 2^96. Words differ
//! in their first three letters or sound apart, so that one misheard is noticed; case and spacing do not matter.
#![forbid(unsafe_code)]

use crate::codec::Digest;

/// Words of a digest.
pub const WORDS: usize = 24;
const PER_LINE: usize = 4;

/// The words of a digest, in lines.
pub fn lines(digest: &Digest) -> Vec<String> {
    let words: Vec<&str> = of(digest).collect();
    words.chunks(PER_LINE).map(|line| line.join(" ")).collect()
}

/// Whether `text` says the words of `digest`.
pub fn matches(digest: &Digest, text: &str) -> bool {
    let said = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    said.map(str::to_ascii_lowercase).eq(of(digest).map(str::to_owned))
}

fn of(digest: &Digest) -> impl Iterator<Item = &'static str> {
    digest.0.into_iter().take(WORDS).map(|octet| LIST[usize::from(octet)])
}

#[rustfmt::skip]
const LIST: [&str; 256] = [
    "acid", "acorn", "actor", "adobe", "agent", "album", "alder", "alloy", "almond", "alpine",
    "amber", "anchor", "angle", "ankle", "apple", "apron", "arbor", "arena", "armor", "arrow",
    "aspen", "atlas", "attic", "autumn", "bacon", "badge", "bagel", "bakery", "bamboo", "banjo",
    "barley", "basin", "basket", "beacon", "beaver", "beetle", "bench", "berry", "bishop", "bison",
    "blanket", "blossom", "bonnet", "bottle", "boulder", "branch", "bread", "bridge", "bronze", "brush",
    "bucket", "buffalo", "butter", "cabin", "cactus", "camera", "canal", "candle", "canoe", "canyon",
    "carbon", "carpet", "castle", "cellar", "cement", "chapel", "cherry", "circus", "citron", "clover",
    "cobalt", "coffee", "comet", "copper", "coral", "cotton", "cousin", "cradle", "crayon", "cricket",
    "crystal", "curtain", "cymbal", "daisy", "dancer", "delta", "desert", "diamond", "dinner", "dolphin",
    "donkey", "dragon", "drawer", "drum", "eagle", "echo", "eclipse", "elbow", "elder", "engine",
    "falcon", "farmer", "feather", "ferry", "fiddle", "flint", "flower", "fossil", "fountain", "fresco",
    "galaxy", "garden", "garlic", "gazelle", "ginger", "giraffe", "glacier", "granite", "gravel", "guitar",
    "hammer", "harbor", "harvest", "hazel", "helmet", "heron", "hickory", "honey", "hornet", "hotel",
    "iceberg", "igloo", "island", "ivory", "jacket", "jaguar", "jasmine", "jersey", "jigsaw", "jungle",
    "juniper", "kayak", "kernel", "kettle", "kitchen", "ladder", "lagoon", "lantern", "laurel", "lemon",
    "lentil", "leopard", "library", "lilac", "linen", "lizard", "lobster", "magnet", "mango", "maple",
    "marble", "meadow", "melon", "mercury", "meteor", "mirror", "mitten", "monkey", "mosaic", "muffin",
    "museum", "mustard", "napkin", "nectar", "needle", "nickel", "nugget", "nutmeg", "oasis", "ocean",
    "onion", "opera", "orbit", "orchid", "otter", "oxygen", "oyster", "paddle", "palace", "panther",
    "papaya", "parrot", "pebble", "pelican", "pencil", "pepper", "piano", "pigeon", "pillow", "planet",
    "pocket", "polar", "poppy", "prairie", "pumpkin", "puzzle", "quarry", "quiver", "rabbit", "radio",
    "raven", "ribbon", "river", "robin", "rocket", "rubber", "saddle", "saffron", "salmon", "sandal",
    "satin", "scarf", "shadow", "silver", "sketch", "spider", "spoon", "statue", "sugar", "summit",
    "sunset", "tablet", "tavern", "temple", "thunder", "tiger", "timber", "tomato", "tractor", "tulip",
    "tunnel", "turtle", "valley", "vanilla", "velvet", "violin", "walnut", "willow", "window", "winter",
    "wizard", "yarrow", "yogurt", "zebra", "zenith", "zipper",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::digest;
    use std::collections::BTreeSet;

    #[test]
    fn the_words_are_distinct_short_and_sorted() {
        assert!(LIST.windows(2).all(|pair| pair[0] < pair[1]));
        for word in LIST {
            assert!((4..=8).contains(&word.len()) && word.bytes().all(|c| c.is_ascii_lowercase()), "{word}");
        }
        let heads: BTreeSet<&str> = LIST.iter().map(|word| &word[..4]).collect();
        assert_eq!(heads.len(), 256, "four letters tell a word");
    }

    #[test]
    fn words_match_their_digest_alone_however_they_are_spaced() {
        let said = digest("test", &[b"a"]);
        let text = lines(&said).join("\n");
        assert_eq!(lines(&said).len() * PER_LINE, WORDS);
        assert!(matches(&said, &text) && matches(&said, &text.to_uppercase().replace('\n', ", ")));
        assert!(!matches(&digest("test", &[b"b"]), &text));
        assert!(!matches(&said, &lines(&said)[..5].join(" ")) && !matches(&said, ""));
        assert!(!matches(&said, &format!("{text} acid")));
    }
}
