//! HTTP: the gate, the server behind it, and owned requests and answers.

pub mod assets;
pub mod request;
pub mod response;
