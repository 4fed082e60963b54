//! What one client, and all together, may take: every queue, buffer and wait of the gate has its bound here.

use std::time::Duration;

/// The bounds of the gate; the defaults suit a portal of some thousand people.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections held at once. Fewer where the process may not open as many files.
    pub connections_max: usize,
    /// Connections held at once by one address (an IPv6 /64 counts as one); trusted proxies are exempt.
    pub per_address_max: usize,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Header lines of a request.
    pub header_count_max: usize,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Bytes of a body on the paths that take uploads.
    pub wide_body_bytes_max: usize,
    /// Bytes of requests and answers held for all clients together.
    pub memory_bytes_max: usize,
    /// Requests that wait for a worker; the next one is told to come back.
    pub waiting_max: usize,
    /// From the first byte of a head to its last.
    pub head_time: Duration,
    /// From the end of the head to the end of the body.
    pub body_time: Duration,
    /// Between two requests of a connection.
    pub idle_time: Duration,
    /// While waiting for an answer, or for the client to take it, without a byte of progress.
    pub answer_time: Duration,
    /// What a client must take of a large answer in a second, on the average once [`Limits::pace_after`] has passed: such
    /// an answer holds a worker until its end.
    pub pace_min: u64,
    /// From the first byte of an answer until its pace is looked at.
    pub pace_after: Duration,
    /// After the last byte of a refusal, for the client to notice before the connection is torn down.
    pub linger_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_000,
            per_address_max: 64,
            head_bytes_max: 16 * 1024,
            header_count_max: 100,
            body_bytes_max: 64 * 1024,
            wide_body_bytes_max: 1024 * 1024,
            memory_bytes_max: 64 * 1024 * 1024,
            waiting_max: 1_024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(15),
            answer_time: Duration::from_secs(30),
            pace_min: 8 * 1024,
            pace_after: Duration::from_secs(60),
            linger_time: Duration::from_secs(3),
        }
    }
}
