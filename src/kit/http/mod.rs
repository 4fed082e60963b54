//! HTTP: the gate, the server behind it, and owned requests and answers.

pub mod agent;
pub mod ask;
pub mod assets;
pub mod client;
pub mod cookie;
mod crew;
pub mod fields;
pub mod form;
pub mod gate;
pub mod headers;
mod keeper;
pub mod multipart;
pub mod request;
pub mod response;
pub mod server;
mod socket_folder;
pub mod tls;
