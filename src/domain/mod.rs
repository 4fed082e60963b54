//! The words that all capabilities share: pure values, each parsed once at the door.
//!
//! A value that exists is valid; the error of its parser is the sentence that the person will read.

pub mod code;
pub mod day;
pub mod domains;
pub mod email;
pub mod id;
pub mod invoice;
pub mod money;
pub mod month;
pub mod password;
pub mod policy;
pub mod role;
pub mod text;
pub mod token;
