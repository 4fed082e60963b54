//! The yardstick of everything that answers requests: nginx, which answers 200 and does nothing else.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use doorward::kit::time::instant;

use crate::Result;
use crate::process::{Running, free_port};
use crate::server::first_answer;

/// A running nginx.
#[derive(Debug)]
pub(crate) struct Nginx {
    // Ends with this value.
    _running: Running,
    port: u16,
    took: Duration,
}

impl Nginx {
    /// Starts it in a folder of its own inside `folder`, and waits for its first answer.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let home = folder.join(format!("nginx-{port}"));
        fs::create_dir(&home)?;
        let file = home.join("nginx.conf");
        fs::write(&file, config(&home, port))?;
        let mut command = Command::new("nginx");
        command
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(&home)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let began = instant();
        let running = Running(command.spawn()?);
        first_answer(port, "/", began)?;
        Ok(Self {
            _running: running,
            port,
            took: began.elapsed(),
        })
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From the start of the process to the end of its first answer.
    pub(crate) const fn took(&self) -> Duration {
        self.took
    }
}

fn config(home: &Path, port: u16) -> String {
    let home = home.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {home}/{name};\n"))
        .concat();
    format!(
        "daemon off;\nworker_processes 2;\npid {home}/pid;\nerror_log stderr crit;\n\
         events {{ worker_connections 512; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 100000000;\n{temporary}\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"ok\"; }} }}\n}}\n"
    )
}
