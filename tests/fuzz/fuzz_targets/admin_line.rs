//! `targets/admin_line.rs` says what is promised.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::admin_line::run(data));
