//! `conclave`: see [`conclave::cli`].
fn main() -> std::process::ExitCode {
    conclave::cli::main()
}
