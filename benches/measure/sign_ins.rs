//! Signing in with the right password, beside hashes and nothing else; and how pages fare meanwhile.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use doorward::kit::hasher::Cost;
use doorward::kit::http::fields::encode;
use doorward::kit::time::instant;

use crate::client::Client;
use crate::seed::{PASSWORD, Seeded};
use crate::server::Server;
use crate::table::{Aim, Row, median, percentile};
use crate::{Result, process};

const ROUNDS: usize = 3;
const CLIENTS: usize = 16;
const OURS: Duration = Duration::from_secs(5);
const RAW: Duration = Duration::from_secs(3);
/// Between two pages that somebody who is signed in asks for meanwhile.
const PAGE_EVERY: Duration = Duration::from_millis(20);

/// Sixteen clients, and raw hashes in turn.
pub(crate) fn rows(server: &Server, seeded: &Seeded) -> Result<Vec<Row>> {
    let crowd = Crowd::new(server, seeded)?;
    let (mut rates, mut ratios, mut yard, mut pages) = (vec![], vec![], vec![], vec![]);
    let (mut most, mut used, mut count) = (0.0_f64, 0.0, 0.0);
    for _ in 0..ROUNDS {
        let raw = hashes(RAW)?;
        let before = process::used(server.id())?;
        let round = crowd.round(OURS)?;
        used += process::used(server.id())? - before;
        count += f64::from(round.count);
        rates.push(round.rate);
        ratios.push(round.rate / raw);
        yard.push(raw);
        pages.extend(round.pages);
        most = most.max(round.memory);
    }
    let (rate, ratio) = (median(rates), median(ratios));
    let seen = pages.len();
    let tail = percentile(pages, 99);
    let cost = used * 1e3 / f64::max(count, 1.0);
    let refused = crowd.refused.into_inner();
    Ok(vec![
        Row::new(
            "sign-in, 16 clients",
            format!("{rate:.1}/s ({cost:.1} ms of processor, pages included; {refused} × 503)"),
        )
        .beside(format!("raw hashes {:.1}/s", median(yard)), ratio)
        .judged(ratio, Aim::AtLeast(0.85), "×"),
        Row::new(
            &format!("a signed-in page meanwhile, p99 of {seen}"),
            format!("{tail:.0} ms"),
        )
        .judged(tail, Aim::AtMost(300.0), "ms"),
        Row::new("RSS meanwhile, at most", format!("{most:.0} MiB")).judged(
            most,
            Aim::AtMost(150.0),
            "MiB",
        ),
    ])
}

/// Everybody who signs in.
struct Crowd<'c> {
    server: &'c Server,
    seeded: &'c Seeded,
    /// The cookie and the proof of the sign-in form.
    visit: String,
    csrf: String,
    /// Whose turn it is; also the network address.
    turn: AtomicU32,
    /// How often somebody was told that all is taken.
    refused: AtomicU32,
}

struct Round {
    count: u32,
    rate: f64,
    /// How long each page took, in milliseconds.
    pages: Vec<f64>,
    /// The most memory that was seen, in MiB.
    memory: f64,
}

impl<'c> Crowd<'c> {
    fn new(server: &'c Server, seeded: &'c Seeded) -> Result<Self> {
        let page = server.client()?.get("/sign-in", &[])?.expect(200)?;
        Ok(Self {
            server,
            seeded,
            visit: page.cookie("visit")?,
            csrf: page.csrf()?,
            turn: AtomicU32::new(0),
            refused: AtomicU32::new(0),
        })
    }

    fn round(&self, long: Duration) -> Result<Round> {
        let is_over = AtomicBool::new(false);
        let began = instant();
        let (count, took, watched) = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(|| self.sign_in_until(began + long)))
                .collect();
            let watcher = scope.spawn(|| self.watch(&is_over));
            let mut count: Result<u32> = Ok(0);
            for client in clients {
                let one = client
                    .join()
                    .unwrap_or_else(|_| Err("a client panicked".into()));
                count = count.and_then(|sum| Ok(sum + one?));
            }
            let took = began.elapsed();
            is_over.store(true, Ordering::Relaxed);
            let watched = watcher
                .join()
                .unwrap_or_else(|_| Err("the watcher panicked".into()));
            (count, took, watched)
        });
        let (pages, memory) = watched?;
        let count = count?;
        Ok(Round {
            count,
            rate: f64::from(count) / took.as_secs_f64(),
            pages,
            memory,
        })
    }

    fn sign_in_until(&self, end: Instant) -> Result<u32> {
        let mut client = self.server.client()?;
        let mut count = 0;
        while instant() < end {
            self.sign_in(&mut client)?;
            count += 1;
        }
        Ok(count)
    }

    /// Signs in once. Told to try again, it does so with the next turn, as people would.
    fn sign_in(&self, client: &mut Client) -> Result<()> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let signers = &self.seeded.signers;
        let signer = usize::try_from(turn)?
            .checked_rem(signers.len())
            .and_then(|place| signers.get(place))
            .ok_or("nobody can sign in")?;
        // From 10.0.0.0 upwards.
        let address = Ipv4Addr::from_bits((10 << 24) + turn);
        let forwarded = format!("X-Forwarded-For: {address}");
        let cookies = format!("Cookie: visit={}; device={}", self.visit, signer.device);
        let form = format!(
            "csrf={}&email={}&password={}",
            self.csrf,
            encode(&signer.email),
            encode(PASSWORD)
        );
        let answer = client.post("/sign-in", &[&forwarded, &cookies], &form)?;
        if answer.status == 503 {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return self.sign_in(client);
        }
        answer.expect(303)?.cookie("session")?;
        Ok(())
    }

    /// Asks for a page again and again, and looks at the memory.
    fn watch(&self, is_over: &AtomicBool) -> Result<(Vec<f64>, f64)> {
        let mut client = self.server.client()?;
        let cookie = format!("Cookie: session={}", self.seeded.small);
        let (mut pages, mut most) = (Vec::new(), 0.0_f64);
        while !is_over.load(Ordering::Relaxed) {
            let began = instant();
            client.get("/", &[&cookie])?.expect(200)?;
            pages.push(began.elapsed().as_secs_f64() * 1e3);
            most = most.max(process::memory(self.server.id())?.resident);
            process::rest(PAGE_EVERY);
        }
        Ok((pages, most))
    }
}

/// Hashes a second on all cores, each thread with its memory kept.
fn hashes(long: Duration) -> Result<f64> {
    let began = instant();
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..doorward::serve::cores())
            .map(|_| scope.spawn(|| hash_until(began + long)))
            .collect();
        let counts: Vec<Result<u32>> = threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a thread panicked".into()))
            })
            .collect();
        counts
    });
    let took = began.elapsed().as_secs_f64();
    let mut sum = 0;
    for count in counts {
        sum += count?;
    }
    Ok(f64::from(sum) / took)
}

fn hash_until(end: Instant) -> Result<u32> {
    let cost = Cost::PRODUCTION;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; 32];
    let mut count = 0;
    while instant() < end {
        argon.hash_password_into_with_memory(
            PASSWORD.as_bytes(),
            &[7; 16],
            &mut output,
            &mut memory,
        )?;
        count += 1;
    }
    Ok(count)
}
