//! Who may change what: BIND's `update-policy` vocabulary.
//!
//! A policy is a list of rules; the first that matches the key, the name and the type decides, and where none matches
//! the answer is no. A rule is one line:
//!
//! ```text
//! grant|deny KEY RULETYPE [NAME] [TYPE …]
//! ```
//!
//! KEY is the name of the client's TSIG or SIG(0) key; `*` is any key, `*.example.` any key below `example.`
//! RULETYPE and NAME, for a record at the name *u* to be changed:
//!
//! | rule type | matches when | NAME |
//! |---|---|---|
//! | `name` | u is NAME | required |
//! | `subdomain` | u is NAME or below it | required |
//! | `wildcard` | u is an expansion of NAME, `*.something`: strictly below `something` | required |
//! | `zonesub` | always: u is in the zone | absent |
//! | `self` | u is the key's name | `.`, `*` or the key; may be absent |
//! | `selfsub` | u is the key's name or below it | as `self` |
//! | `selfwild` | u is strictly below the key's name | as `self` |
//!
//! TYPEs are record types, or `ANY` for all. Without any, a rule matches every type but NS, SOA, RRSIG, NSEC and NSEC3, as in
//! BIND; and, other than in BIND, not CDS and CDNSKEY, with which whoever may write them takes the zone over at its
//! parent: they must be named (or `ANY`). What belongs to the cluster ([`super::update`]) no rule can grant.
//!
//! Deleting all records of a name asks for every type that is there and would go.

use crate::dns::{Name, RrType};
use std::fmt;

/// What a rule without types does not match.
const MUST_BE_NAMED: [RrType; 7] =
    [RrType::NS, RrType::SOA, RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::CDS, RrType::CDNSKEY];

/// An ordered list of rules; the empty one allows nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UpdatePolicy {
    rules: Vec<Rule>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Rule {
    grant: bool,
    key: Name,
    names: Names,
    types: Types,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Names {
    Name(Name),
    Subdomain(Name),
    /// Strictly below this name.
    Wildcard(Name),
    Zonesub,
    OwnName,
    OwnSubtree,
    BelowOwnName,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Types {
    Default,
    All,
    These(Vec<RrType>),
}

/// Why a rule was not understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyError(String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

impl UpdatePolicy {
    /// Parses rules, one a string; names are absolute, a final `;` is allowed.
    pub fn parse<S: AsRef<str>>(rules: &[S]) -> Result<Self, PolicyError> {
        let parse = |line: &S| {
            let line = line.as_ref();
            Rule::parse(line).map_err(|why| PolicyError(format!("update policy `{line}`: {why}")))
        };
        Ok(Self { rules: rules.iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// Whether `key` may change records of this type at `name`, a name in the zone.
    pub fn allows(&self, key: &Name, name: &Name, rtype: RrType) -> bool {
        let first = self.rules.iter().find(|rule| rule.matches(key, name, rtype));
        first.is_some_and(|rule| rule.grant) || planted!(PolicyIgnored)
    }

    /// Whether `key` may change records of any type at all at `name`: some type's first matching rule is a grant.
    pub fn allows_some(&self, key: &Name, name: &Name) -> bool {
        // Types that no rule names are decided alike: one such stands for all.
        let named = self.rules.iter().flat_map(|rule| rule.types.named());
        let unnamed = RrType(0);
        named.chain(&[unnamed]).any(|rtype| self.allows(key, name, *rtype))
    }

    /// Whether a rule is about this key at all.
    pub fn knows(&self, key: &Name) -> bool {
        self.rules.iter().any(|rule| rule.matches_key(key)) || planted!(PolicyIgnored)
    }

    /// The key names that the rules mention, wildcards left out; for checking that they exist.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.rules.iter().map(|rule| &rule.key).filter(|key| !key.is_wildcard())
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim().trim_end_matches(';');
        let mut words = line.split_whitespace().peekable();
        let grant = match words.next() {
            Some("grant") => true,
            Some("deny") => false,
            _ => return Err("a rule begins with `grant` or `deny`".into()),
        };
        let key = parse_name(words.next().ok_or("the key is missing")?)?;
        let kind = words.next().ok_or("the rule type is missing")?;
        let names = match kind.to_ascii_lowercase().as_str() {
            "name" => Names::Name(required_name(words.next())?),
            "subdomain" => Names::Subdomain(required_name(words.next())?),
            "wildcard" => {
                let name = required_name(words.next())?;
                let below = name.parent().filter(|_| name.is_wildcard());
                Names::Wildcard(below.ok_or("the name of a `wildcard` rule begins with `*.`")?)
            }
            "zonesub" => Names::Zonesub,
            own @ ("self" | "selfsub" | "selfwild") => {
                let is_name = |word: &&str| *word == "*" || word.contains('.');
                if let Some(word) = words.next_if(is_name) {
                    let name = parse_name(word)?;
                    if word != "*" && !name.is_root() && name != key {
                        return Err(format!("the name of a `{own}` rule is `.`, `*` or the key"));
                    }
                }
                match own {
                    "self" => Names::OwnName,
                    "selfsub" => Names::OwnSubtree,
                    _ => Names::BelowOwnName,
                }
            }
            other => return Err(format!("there is no rule type `{other}`")),
        };
        Ok(Self { grant, key, names, types: parse_types(words)? })
    }

    fn matches_key(&self, key: &Name) -> bool {
        match self.key.parent().filter(|_| self.key.is_wildcard()) {
            Some(top) => key != &top && key.is_subdomain_of(&top),
            None => *key == self.key,
        }
    }

    fn matches(&self, key: &Name, name: &Name, rtype: RrType) -> bool {
        let strictly_below = |top: &Name| name != top && name.is_subdomain_of(top);
        let key_matches = self.matches_key(key);
        let name_matches = match &self.names {
            Names::Name(exact) => name == exact,
            Names::Subdomain(top) => name.is_subdomain_of(top),
            Names::Wildcard(top) => strictly_below(top),
            Names::Zonesub => true,
            Names::OwnName => name == key,
            Names::OwnSubtree => name.is_subdomain_of(key),
            Names::BelowOwnName => strictly_below(key),
        };
        key_matches && name_matches && self.types.contain(rtype)
    }
}

impl Types {
    /// The types that the rule treats apart from others.
    fn named(&self) -> &[RrType] {
        match self {
            Self::Default => &MUST_BE_NAMED,
            Self::All => &[],
            Self::These(types) => types,
        }
    }

    fn contain(&self, rtype: RrType) -> bool {
        match self {
            Self::Default => !MUST_BE_NAMED.contains(&rtype),
            Self::All => true,
            Self::These(types) => types.contains(&rtype),
        }
    }
}

fn parse_types<'a>(words: impl Iterator<Item = &'a str>) -> Result<Types, String> {
    let mut types = Vec::new();
    let mut all = false;
    for word in words {
        match RrType::parse(word) {
            Some(RrType::ANY) => all = true,
            Some(rtype) if !rtype.is_meta() => types.push(rtype),
            _ => return Err(format!("`{word}` is no record type")),
        }
    }
    Ok(match (all, types.is_empty()) {
        (true, _) => Types::All,
        (false, true) => Types::Default,
        (false, false) => Types::These(types),
    })
}

fn required_name(word: Option<&str>) -> Result<Name, String> {
    parse_name(word.ok_or("the name is missing")?)
}

fn parse_name(word: &str) -> Result<Name, String> {
    Name::parse(word).map_err(|why| format!("`{word}`: {why}"))
}
