//! A name server for tests: knows a few records, and misbehaves on command. What it does not know is not there.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use simple_dns::rdata::{A, AAAA, CNAME, MX, RData, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

/// What a name server knows of a name, or does when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// Takes mail at this preference.
    Mx(u16, &'static str),
    /// An address.
    At(IpAddr),
    /// A text, in as many strings as these.
    Txt(&'static [&'static str]),
    /// It is another name.
    Alias(&'static str),
    /// An answer over UDP is cut short.
    Long,
    /// Nothing is answered.
    Silence,
    /// An answer with another id comes before the right one.
    Forged,
    /// The server has failed.
    Failure,
}

type Zone = Arc<Mutex<BTreeMap<String, Vec<Record>>>>;

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Udp,
    Tcp,
}

/// The name server; its threads end with the process.
pub(crate) struct NameServer {
    address: SocketAddr,
    zone: Zone,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// One that knows nothing, on a free port of the loopback.
    pub(crate) fn start() -> Self {
        let (udp, tcp) = bind();
        let zone = Zone::default();
        let asked = Arc::default();
        let server = Self {
            address: udp.local_addr().unwrap(),
            zone: Arc::clone(&zone),
            asked: Arc::clone(&asked),
        };
        let by_tcp = Arc::clone(&zone);
        thread::spawn(move || {
            let mut bytes = [0; 2048];
            while let Ok((count, from)) = udp.recv_from(&mut bytes) {
                for answer in answers(&bytes[..count], &zone, By::Udp, &asked) {
                    udp.send_to(&answer, from).ok();
                }
            }
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut bytes).unwrap();
                for answer in answers(&bytes, &by_tcp, By::Tcp, &Arc::default()) {
                    let length = u16::try_from(answer.len()).unwrap();
                    stream.write_all(&length.to_be_bytes()).unwrap();
                    stream.write_all(&answer).unwrap();
                }
            }
        });
        server
    }

    /// Where it is asked.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it knows this of the name, and nothing else.
    pub(crate) fn know(&self, name: &str, records: &[Record]) {
        let mut zone = self.zone.lock().unwrap();
        zone.insert(name.to_owned(), records.to_vec());
    }

    /// The names it was asked for by UDP, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The same port for both: of one that is free for UDP, another program may have the TCP half.
fn bind() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
}

fn answers(bytes: &[u8], zone: &Zone, by: By, asked: &Mutex<Vec<String>>) -> Vec<Vec<u8>> {
    let query = Packet::parse(bytes).unwrap();
    assert!(query.has_flags(PacketFlag::RECURSION_DESIRED));
    let question = query.questions[0].clone();
    let name = question.qname.to_string();
    asked.lock().unwrap().push(name.clone());
    let known = zone.lock().unwrap().get(&name).cloned();
    let mut reply = Packet::new_reply(query.id());
    reply.questions.push(question.clone());
    let Some(records) = known else {
        *reply.rcode_mut() = RCODE::NameError;
        return vec![reply.build_bytes_vec().unwrap()];
    };
    let mut before = Vec::new();
    for record in &records {
        let (kind, data) = match record {
            Record::Mx(preference, exchange) => (
                TYPE::MX,
                RData::MX(MX {
                    preference: *preference,
                    exchange: Name::new_unchecked(exchange),
                }),
            ),
            Record::At(IpAddr::V4(ip)) => (TYPE::A, RData::A(A::from(*ip))),
            Record::At(IpAddr::V6(ip)) => (TYPE::AAAA, RData::AAAA(AAAA::from(*ip))),
            Record::Txt(strings) => {
                let text = strings
                    .iter()
                    .fold(TXT::new(), |text, string| text.with_string(string).unwrap());
                (TYPE::TXT, RData::TXT(text))
            }
            Record::Alias(to) => (TYPE::CNAME, RData::CNAME(CNAME(Name::new_unchecked(to)))),
            Record::Long if by == By::Udp => {
                let mut cut = Packet::new_reply(query.id());
                cut.questions.push(question);
                cut.set_flags(PacketFlag::TRUNCATION);
                return vec![cut.build_bytes_vec().unwrap()];
            }
            Record::Long => continue,
            Record::Silence => return Vec::new(),
            Record::Forged => {
                let mut forged = Packet::new_reply(query.id().wrapping_add(1));
                forged.questions.push(question.clone());
                *forged.rcode_mut() = RCODE::NameError;
                before.push(forged.build_bytes_vec().unwrap());
                continue;
            }
            Record::Failure => {
                *reply.rcode_mut() = RCODE::ServerFailure;
                continue;
            }
        };
        if question.qtype == QTYPE::TYPE(kind) || kind == TYPE::CNAME {
            let name = question.qname.clone();
            reply
                .answers
                .push(ResourceRecord::new(name, CLASS::IN, 60, data));
        }
    }
    before.push(reply.build_bytes_vec().unwrap());
    before
}
