//! HTTP: the gate, the server behind it, and owned requests and answers.

pub mod client;
pub mod gate;
pub mod headers;
mod keeper;
pub mod request;
pub mod response;
pub mod server;
mod socket_folder;
