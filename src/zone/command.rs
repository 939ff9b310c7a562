//! What operators may have the cluster do, together: never by one's word, but by the votes of a quorum ([`super::votes`]).
//!
//! A command has one text form, a line of words, which operators say, compare over the telephone, and find again in lists
//! and logs; and one encoding, in which votes are counted. Each gives the other.

use super::rollover::Step;
use super::succession::Succession;
use super::view::Denial;
use crate::codec::{self, DecodeError, Digest};
use crate::dns::Name;
use crate::limits::MAX_COMMAND_BYTES;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Letters of the word of a drill.
const MAX_WORD: usize = 64;

/// An ordered command.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Command {
    /// `drill WORD`: changes nothing. With it operators find out that their votes come through, and practise.
    Drill {
        /// Printable ASCII without spaces, 1 to 64 letters.
        word: String,
    },
    /// `refresh ZONE TAG`: new shares of the key with this tag ([`super::refresh`]).
    Refresh {
        /// The zone.
        zone: Name,
        /// The key's tag (RFC 4034, appendix B).
        tag: u16,
    },
    /// `keys ZONE …`: a step of a rollover ([`super::rollover`]).
    Keys {
        /// The zone, in lower case.
        zone: Name,
        /// What to do.
        act: Act,
    },
    /// `epoch N CLUSTER faults T continuing I,I,… keys DIGEST`: this batch is the last of this epoch, and that cluster goes on.
    Epoch(Succession),
    /// `denial ZONE nsec|nsec3`: from this batch on the zone denies existence so, in one version.
    Denial {
        /// The zone, in lower case.
        zone: Name,
        /// How.
        by: Denial,
    },
    /// `zone ZONE …`: adds, removes or changes a zone ([`super::roster`]).
    Zone {
        /// The zone, in lower case.
        zone: Name,
        /// What to do.
        act: ZoneAct,
    },
    /// `catalog ZONE`, `catalog none`: the cluster's zones are listed in this catalog zone, or in none ([`super::catalog`]).
    Catalog {
        /// The catalog zone, in lower case.
        origin: Option<Name>,
    },
}

/// What to do with a zone. What is too large for a command is named by its digest ([`super::contents`]).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum ZoneAct {
    /// `add CONTENTS`: it comes, and is signed at once.
    Add(Digest),
    /// `remove`: it goes, with its keys.
    Remove,
    /// `replace CONTENTS [if-serial N]`: its records are these; with a serial, only if that is still the zone's.
    Replace(Digest, Option<u32>),
    /// `policy CONTENTS`: updates are judged by these statements.
    Policy(Digest),
    /// `freeze`: updates are refused.
    Freeze,
    /// `thaw`: they are no more.
    Thaw,
    /// `forget CONTENTS`: what waits for these contents is given up.
    Forget(Digest),
}

impl ZoneAct {
    /// What must be carried before it can be done.
    pub fn contents(&self) -> Option<Digest> {
        match self {
            Self::Add(contents) | Self::Replace(contents, _) | Self::Policy(contents) => Some(*contents),
            Self::Remove | Self::Freeze | Self::Thaw | Self::Forget(_) => None,
        }
    }
}

/// What to do with the keys of a zone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Act {
    /// `begin BUNDLE [BUNDLE]`: begin a rollover to a new ZSK, a new KSK, or both of another algorithm.
    Begin(Vec<Digest>),
    /// `STEP TAG`, `ds-seen TAG TTL`, `ds-gone TAG TTL`: the next step of the rollover to the key with this tag.
    Step(Step, u16),
    /// `allowance SECONDS`: how long replicas and secondaries may serve what is replaced.
    Allowance(u32),
}

impl Command {
    /// Reads the encoding; what is none, too long, or has no text form is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let command: Self = codec::decode(bytes, MAX_COMMAND_BYTES)?;
        match command.to_string().parse() {
            Ok(same) if command == same => Ok(command),
            _ => Err(DecodeError::Malformed("a command without a text form".into())),
        }
    }

    /// Whether operators may have it done by their own signatures too ([`super::operators`]).
    pub fn is_for_operators(&self) -> bool {
        matches!(self, Self::Zone { .. } | Self::Denial { .. } | Self::Catalog { .. })
    }

    /// The zone that it is about.
    pub(super) fn zone(&self) -> Option<&Name> {
        match self {
            Self::Refresh { zone, .. }
            | Self::Keys { zone, .. }
            | Self::Denial { zone, .. }
            | Self::Zone { zone, .. } => Some(zone),
            Self::Drill { .. } | Self::Epoch(_) | Self::Catalog { .. } => None,
        }
    }

    /// What must be carried before it can be done.
    pub(super) fn contents(&self) -> Option<Digest> {
        match self {
            Self::Zone { act, .. } => act.contents(),
            _ => None,
        }
    }

    /// Names it in a cluster's votes.
    pub(super) fn digest(&self) -> Digest {
        codec::digest("conclave/command", &[&codec::encode(self)])
    }
}

/// The text form.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drill { word } => write!(f, "drill {word}"),
            Self::Keys { zone, act } => match act {
                Act::Begin(bundles) => {
                    write!(f, "keys {zone} begin")?;
                    bundles.iter().try_for_each(|bundle| write!(f, " {}", bundle.to_hex()))
                }
                Act::Step(step @ (Step::DsSeen(ttl) | Step::DsGone(ttl)), tag) => {
                    write!(f, "keys {zone} {} {tag} {ttl}", step.word())
                }
                Act::Step(step, tag) => write!(f, "keys {zone} {} {tag}", step.word()),
                Act::Allowance(seconds) => write!(f, "keys {zone} allowance {seconds}"),
            },
            Self::Refresh { zone, tag } => write!(f, "refresh {zone} {tag}"),
            Self::Denial { zone, by } => write!(f, "denial {zone} {}", by.word()),
            Self::Epoch(succession) => write!(f, "epoch {succession}"),
            Self::Zone { zone, act } => write!(f, "zone {zone} {act}"),
            Self::Catalog { origin: Some(origin) } => write!(f, "catalog {origin}"),
            Self::Catalog { origin: None } => f.write_str("catalog none"),
        }
    }
}

/// The words after the zone.
impl fmt::Display for ZoneAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(contents) => write!(f, "add {}", contents.to_hex()),
            Self::Remove => f.write_str("remove"),
            Self::Replace(contents, None) => write!(f, "replace {}", contents.to_hex()),
            Self::Replace(contents, Some(serial)) => {
                write!(f, "replace {} if-serial {serial}", contents.to_hex())
            }
            Self::Policy(contents) => write!(f, "policy {}", contents.to_hex()),
            Self::Freeze => f.write_str("freeze"),
            Self::Thaw => f.write_str("thaw"),
            Self::Forget(contents) => write!(f, "forget {}", contents.to_hex()),
        }
    }
}

impl FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let command = match words.as_slice() {
            ["drill", word] if word.len() <= MAX_WORD && word.bytes().all(|c| c.is_ascii_graphic()) => {
                Self::Drill { word: (*word).into() }
            }
            ["epoch", words @ ..] => Self::Epoch(Succession::of_words(words)?),
            ["drill", ..] => {
                return Err(format!("`drill` takes one word of at most {MAX_WORD} ASCII letters"));
            }
            ["keys", zone, rest @ ..] => {
                let zone = zone.parse::<Name>().map_err(|_| "a zone's name is lacking".to_owned())?;
                Self::Keys { zone: zone.to_lowercase(), act: act(rest)? }
            }
            ["refresh", zone, tag] => Self::Refresh {
                zone: name(zone)?,
                tag: tag.parse().map_err(|_| "a key tag is a number from 0 to 65535")?,
            },
            ["denial", zone, by] => Self::Denial {
                zone: name(zone)?,
                by: Denial::parse(by).ok_or("a zone denies by `nsec` or `nsec3`")?,
            },
            ["zone", zone, rest @ ..] => Self::Zone { zone: name(zone)?, act: zone_act(rest)? },
            ["catalog", "none"] => Self::Catalog { origin: None },
            ["catalog", origin] => Self::Catalog { origin: Some(name(origin)?) },
            ["zone"] => return Err("`zone` takes a zone and what to do with it".into()),
            ["catalog", ..] => return Err("`catalog` takes the name of a catalog zone, or `none`".into()),
            ["denial", ..] => return Err("`denial` takes a zone, and `nsec` or `nsec3`".into()),
            ["refresh", ..] => return Err("`refresh` takes a zone and the tag of one of its keys".into()),
            [first, ..] => return Err(format!("there is no command `{}`", first.escape_default())),
            [] => return Err("a command is lacking".into()),
        };
        if codec::encode(&command).len() > MAX_COMMAND_BYTES {
            return Err(format!("a command has at most {MAX_COMMAND_BYTES} bytes"));
        }
        Ok(command)
    }
}

fn name(text: &str) -> Result<Name, String> {
    let name = Name::parse(text).map_err(|why| format!("`{}`: {why}", text.escape_default()))?;
    Ok(name.to_lowercase())
}

fn zone_act(words: &[&str]) -> Result<ZoneAct, String> {
    let contents = |text: &str| {
        Digest::from_hex(text).ok_or("the name of contents has 64 hexadecimal digits".to_owned())
    };
    match words {
        ["add", of] => Ok(ZoneAct::Add(contents(of)?)),
        ["remove"] => Ok(ZoneAct::Remove),
        ["replace", of] => Ok(ZoneAct::Replace(contents(of)?, None)),
        ["replace", of, "if-serial", serial] => {
            let serial = serial.parse().map_err(|_| "a serial is a number from 0 to 4294967295".to_owned());
            Ok(ZoneAct::Replace(contents(of)?, Some(serial?)))
        }
        ["policy", of] => Ok(ZoneAct::Policy(contents(of)?)),
        ["freeze"] => Ok(ZoneAct::Freeze),
        ["thaw"] => Ok(ZoneAct::Thaw),
        ["forget", of] => Ok(ZoneAct::Forget(contents(of)?)),
        _ => Err("`zone ZONE` goes on with `add CONTENTS`, `remove`, `replace CONTENTS [if-serial N]`, \
                  `policy CONTENTS`, `freeze`, `thaw` or `forget CONTENTS`"
            .into()),
    }
}

fn act(words: &[&str]) -> Result<Act, String> {
    let number =
        |text: &str| text.parse::<u32>().map_err(|_| format!("not a number: {}", text.escape_default()));
    let tag =
        |text: &str| text.parse::<u16>().map_err(|_| format!("not a key tag: {}", text.escape_default()));
    let bundle =
        |text: &&str| Digest::from_hex(text).ok_or("a bundle's name has 64 hexadecimal digits".to_owned());
    match words {
        ["begin", bundles @ ..] if (1..=2).contains(&bundles.len()) => {
            bundles.iter().map(bundle).collect::<Result<_, _>>().map(Act::Begin)
        }
        ["allowance", seconds] => Ok(Act::Allowance(number(seconds)?)),
        ["ds-seen", key, ttl] => Ok(Act::Step(Step::DsSeen(number(ttl)?), tag(key)?)),
        ["ds-gone", key, ttl] => Ok(Act::Step(Step::DsGone(number(ttl)?), tag(key)?)),
        [word, key] => {
            let step = PLAIN_STEPS.into_iter().find(|step| step.word() == *word);
            Ok(Act::Step(step.ok_or_else(|| format!("no step `{}`", word.escape_default()))?, tag(key)?))
        }
        _ => {
            Err("`keys ZONE` goes on with `begin BUNDLE [BUNDLE]`, `STEP TAG` or `allowance SECONDS`".into())
        }
    }
}

/// Those that a tag alone makes.
const PLAIN_STEPS: [Step; 10] = [
    Step::Activate,
    Step::Remove,
    Step::Swap,
    Step::Withdraw,
    Step::Publish,
    Step::Announce,
    Step::Unpublish,
    Step::Unsign,
    Step::Finish,
    Step::Abort,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_encoding_give_one_another_and_what_has_no_text_is_no_command() {
        let drill = |word: &str| Command::Drill { word: word.into() };
        assert_eq!("  drill   hello ".parse(), Ok(drill("hello")));
        assert_eq!(Command::decode(&codec::encode(&drill("hello"))), Ok(drill("hello")));
        for word in ["", "two words", "line\nbreak", "ümlaut", &"x".repeat(MAX_WORD + 1), &"x".repeat(5_000)]
        {
            assert!(Command::decode(&codec::encode(&drill(word))).is_err(), "{word}");
        }
        let hex = "ab".repeat(32);
        let keys = [
            format!("keys example.test. begin {hex}"),
            format!("keys example.test. begin {hex} {hex}"),
            "keys example.test. activate 12345".into(),
            "keys example.test. ds-seen 1 3600".into(),
            "keys . allowance 0".into(),
            "refresh a.test. 7".into(),
            format!("zone a.test. add {hex}"),
            "zone . remove".into(),
            format!("zone a.test. replace {hex}"),
            format!("zone a.test. replace {hex} if-serial 4294967295"),
            format!("zone a.test. policy {hex}"),
            "zone a.test. freeze".into(),
            "zone a.test. thaw".into(),
            format!("zone a.test. forget {hex}"),
            "catalog none".into(),
            "catalog none.".into(),
            "catalog zones.test.".into(),
        ];
        for text in keys {
            let command: Command = text.parse().unwrap();
            assert_eq!(command.to_string(), text);
            assert_eq!(Command::decode(&codec::encode(&command)), Ok(command));
        }
        let refresh = Command::Refresh { zone: Name::parse("a.test.").unwrap(), tag: 7 };
        assert_eq!("refresh A.test 7".parse(), Ok(refresh));
        let denial: Command = "denial A.test nsec3".parse().unwrap();
        assert_eq!(denial.to_string(), "denial a.test. nsec3");
        assert_eq!(Command::decode(&codec::encode(&denial)), Ok(denial));
        let texts = [
            "",
            "denial a.",
            "denial a. nsec5",
            "denial a..b nsec",
            "keys",
            "keys a..b swap 1",
            "keys a. swap 70000",
            "keys a. begin ff",
            "keys a. swap 1 2",
            "drill",
            "drill a b",
            "halt",
            "\u{1b}[2J",
            "refresh a.",
            "refresh a. 65536",
            "refresh a..b 1",
            "zone",
            "zone a.",
            "zone a..b remove",
            "zone a. add",
            "zone a. add ff",
            "zone a. remove now",
            "zone a. replace if-serial 1",
            "catalog",
            "catalog a..b",
            "catalog a. b.",
        ];
        for text in texts {
            let why = text.parse::<Command>().unwrap_err();
            assert!(!why.contains('\u{1b}'), "{why}");
        }
    }
}
