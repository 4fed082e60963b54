//! What knows nothing of accounts and could be lifted into another product:
//! storage, HTTP, parts of pages, mail, time and randomness.

pub mod csv;
pub mod dates;
pub mod db;
pub mod disk;
pub mod dns;
pub mod floods;
pub mod folder;
pub mod hasher;
pub mod html;
pub mod http;
pub mod key_file;
pub mod keys;
pub mod log;
pub mod mail;
pub mod memory;
pub mod names;
pub mod notify;
pub mod probe;
pub mod pulse;
pub mod qr;
pub mod random;
pub mod seal;
pub mod secret;
pub mod size;
pub mod throttle;
pub mod time;
pub mod toml;
pub mod totp;
