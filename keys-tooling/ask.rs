//! The questions of `conclave-dealer init --ask`: their answers are a written plan.

use conclave::ceremony::cluster_file::quote;
use conclave::ceremony::files::{plain, write_public};
use conclave::ceremony::keygen::PublicKeys;
use conclave::ceremony::operators::Operator;
use conclave::ceremony::seal::Recipient;
use conclave::cli::Failure;
use conclave::dns::name::Name;
use conclave::limits::MAX_REPLICAS;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Asks, and writes the plan.
pub fn write(path: &Path) -> Result<(), Failure> {
    let mut text = String::from("# Written by conclave-dealer init --ask.\nversion = 1\n");
    let in_range = |n: &u8| (1..=MAX_REPLICAS).contains(n);
    let n: u8 = ask("How many replicas (4 tolerate one fault, 7 two, 10 three)?", in_range)?;
    let bits: usize =
        ask("Bits of each key (2048 is usual)?", |bits| [1024, 2048, 3072, 4096].contains(bits))?;
    text.push_str(&format!("replicas = {n}\nbits = {bits}\n"));
    for index in 1..=n {
        let is_file = |path: &PathBuf| PublicKeys::read(path).is_ok();
        let keys: PathBuf = ask(&format!("Replica {index}: its replica.pub.toml?"), is_file)?;
        let keys = std::path::absolute(&keys).map_err(|e| Failure::new(plain(&e)))?;
        let dns: SocketAddr = ask(&format!("Replica {index}: DNS address, as 192.0.2.1:53?"), |_| true)?;
        let peer: SocketAddr = ask(&format!("Replica {index}: address for its peers?"), |_| true)?;
        let keys = quote(&keys.to_string_lossy());
        text.push_str(&format!("\n[[member]]\nkeys = {keys}\ndns = [\"{dns}\"]\npeer = \"{peer}\"\n"));
    }
    let mut zones = 0;
    while let Some(origin) = ask_more::<Name>("A zone's origin (none: no more)?", zones > 0)? {
        let file: PathBuf = ask("Its unsigned master file?", |file: &PathBuf| file.is_file())?;
        let file = std::path::absolute(&file).map_err(|e| Failure::new(plain(&e)))?;
        let mut policy = Vec::new();
        while let Some(statement) =
            ask_more::<String>("Who may change it, as `grant ops zonesub ANY` (none: no more)?", true)?
        {
            policy.push(quote(&statement));
        }
        let (origin, file) = (quote(&origin.to_string()), quote(&file.to_string_lossy()));
        let policy = policy.join(", ");
        text.push_str(&format!("\n[[zone]]\norigin = {origin}\nfile = {file}\npolicy = [{policy}]\n"));
        zones += 1;
    }
    while let Some(name) = ask_more::<Name>("A TSIG key to make (none: no more)?", true)? {
        text.push_str(&format!("\n[[tsig]]\nname = {}\n", quote(&name.to_string())));
        if let Some(reader) =
            ask_more::<Recipient>("Its client's age recipient (none: write it here)?", true)?
        {
            text.push_str(&format!("recipient = \"{reader}\"\n"));
        }
    }
    while let Some(name) =
        ask_more::<String>("An operator who manages zones, by name (none: no more)?", true)?
    {
        let fits = |key: &String| format!("{name}={key}").parse::<Operator>().is_ok();
        let key: String = ask("His public key, from conclave operator-key?", fits)?;
        text.push_str(&format!("\n[[operator]]\nname = {}\nkey = \"{key}\"\n", quote(&name)));
    }
    text.push_str(&custodians()?);
    Ok(write_public(path, text.as_bytes())?)
}

fn custodians() -> Result<String, Failure> {
    let mut custodians = Vec::new();
    while let Some(name) = ask_more::<String>("A custodian of the backup, by name (none: no more)?", true)? {
        let recipient: Recipient = ask("His age recipient?", |_| true)?;
        custodians.push(format!("{{ name = {}, recipient = \"{recipient}\" }}", quote(&name)));
    }
    if custodians.is_empty() {
        return Ok(String::new());
    }
    let most = custodians.len() as u8;
    let threshold: u8 = ask("How many of them open it?", |k| (1..=most).contains(k))?;
    Ok(format!("\n[backup]\nthreshold = {threshold}\ncustodians = [{}]\n", custodians.join(", ")))
}

/// Asks until the answer is one.
fn ask<T: FromStr>(question: &str, fits: impl Fn(&T) -> bool) -> Result<T, Failure> {
    loop {
        match line(question)?.parse() {
            Ok(answer) if fits(&answer) => return Ok(answer),
            _ => eprintln!("That is no answer to this."),
        }
    }
}

/// Asks until the answer is one, or empty where that is allowed.
fn ask_more<T: FromStr>(question: &str, may_end: bool) -> Result<Option<T>, Failure> {
    loop {
        let line = line(question)?;
        match line.parse() {
            _ if line.is_empty() && may_end => return Ok(None),
            Ok(answer) if !line.is_empty() => return Ok(Some(answer)),
            _ => eprintln!("That is no answer to this."),
        }
    }
}

fn line(question: &str) -> Result<String, Failure> {
    eprint!("{question} ");
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err(Failure::new("the answers ended: nothing was dealt")),
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => Err(Failure::new(plain(&error))),
    }
}
