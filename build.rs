//! Prepares `assets/` for the binary: each file gets its content's hash into its name, style sheets refer to
//! those names, and a compressed copy stands beside what compresses. Also writes the table that
//! `kit::http::assets` serves from. Fails the build on a reference to a file that is not there. And notes which commit
//! and which compiler the build is from.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// From the name in `assets/` to the name in the binary.
type Names = BTreeMap<String, Embedded>;

struct Embedded {
    name: String,
    content_type: &'static str,
    gzip: bool,
}

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let folder = out.join("assets");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;

    let mut files = Vec::new();
    walk(Path::new("assets"), &mut files)?;
    files.sort();
    // Style sheets come last, since their own hash depends on the names of what they refer to.
    files.sort_by_key(|path| path.extension().is_some_and(|extension| extension == "css"));

    let mut names = Names::new();
    for path in &files {
        embed(path, &folder, &mut names)?;
    }
    fs::write(out.join("assets.rs"), table(&names)?)?;
    note_origin();
    Ok(())
}

/// What this build is from. A package says which commit by DOORWARD_COMMIT; a release build in a checkout asks git. Others
/// do not, or every commit would compile everything anew.
fn note_origin() {
    println!("cargo::rerun-if-env-changed=DOORWARD_COMMIT");
    let told = |name: &str| std::env::var_os(name)?.into_string().ok();
    let named = told("DOORWARD_COMMIT").filter(|commit| !commit.is_empty());
    let is_release = told("PROFILE").is_some_and(|profile| profile == "release");
    let commit = named.or_else(|| {
        if !is_release {
            return None;
        }
        if let Some(log) = said("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo::rerun-if-changed={log}");
        }
        said("git", &["rev-parse", "--short=12", "HEAD"])
    });
    let rustc = told("RUSTC").unwrap_or_else(|| "rustc".to_owned());
    let rustc = said(&rustc, &["--version"]);
    let version = rustc.as_deref().and_then(|said| said.split(' ').nth(1));
    println!(
        "cargo::rustc-env=DOORWARD_COMMIT={}",
        commit.as_deref().unwrap_or("unknown")
    );
    println!(
        "cargo::rustc-env=DOORWARD_RUSTC={}",
        version.unwrap_or("unknown")
    );
}

/// The one line that a program answers with.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let line = line.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn embed(path: &Path, folder: &Path, names: &mut Names) -> Result<()> {
    let source = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| format!("{} has no plain name", path.display()))?;
    let (stem, extension) = source
        .rsplit_once('.')
        .ok_or_else(|| format!("{source} has no extension"))?;
    let content_type = content_type(extension)?;
    let mut bytes = fs::read(path)?;
    if extension == "css" {
        bytes = referring(&minified(&String::from_utf8(bytes)?), names)?.into_bytes();
    } else if extension == "js" {
        bytes = bare(&String::from_utf8(bytes)?)?.into_bytes();
    }

    let hash: String = Sha256::digest(&bytes)
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = format!("{stem}.{hash}.{extension}");
    fs::write(folder.join(&name), &bytes)?;

    let small = compressed(&bytes)?;
    let gzip = extension != "woff2" && small.len() < bytes.len();
    if gzip {
        fs::write(folder.join(format!("{name}.gz")), small)?;
    }
    let entry = Embedded {
        name,
        content_type,
        gzip,
    };
    match names.insert(source.to_owned(), entry) {
        None => Ok(()),
        Some(_) => Err(format!("two assets are called {source}").into()),
    }
}

fn content_type(extension: &str) -> Result<&'static str> {
    match extension {
        "css" => Ok("text/css; charset=utf-8"),
        "js" => Ok("text/javascript; charset=utf-8"),
        "svg" => Ok("image/svg+xml"),
        "txt" => Ok("text/plain; charset=utf-8"),
        "woff2" => Ok("font/woff2"),
        _ => Err(format!("no content type is known for .{extension}").into()),
    }
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The style sheet without comments, and without the blanks that nothing depends on.
fn minified(css: &str) -> String {
    let glue = |c: Option<char>| matches!(c, None | Some('{' | '}' | ';' | ',' | '>'));
    let mut out = String::with_capacity(css.len());
    let mut chars = css.chars().peekable();
    let mut quote = None;
    let mut blank = false;
    while let Some(c) = chars.next() {
        if quote.is_none() && c == '/' && chars.peek() == Some(&'*') {
            let mut before = ' ';
            for inside in chars.by_ref().skip(1) {
                if before == '*' && inside == '/' {
                    break;
                }
                before = inside;
            }
            blank = true;
        } else if quote.is_none() && c.is_whitespace() {
            blank = true;
        } else {
            let last = out.chars().next_back();
            // Before a colon a blank means a descendant, after it nothing.
            if blank && !glue(last) && !glue(Some(c)) && last != Some(':') {
                out.push(' ');
            }
            blank = false;
            out.push(c);
            match quote {
                None if matches!(c, '"' | '\'') => quote = Some(c),
                Some(_) if c == '\\' => out.extend(chars.next()),
                Some(open) if open == c => quote = None,
                _ => {}
            }
        }
    }
    out
}

/// The script without the lines that only speak to people, and without indents. Refuses what would need a parser:
/// text that goes over the end of a line.
fn bare(script: &str) -> Result<String> {
    let mut out = String::with_capacity(script.len());
    for line in script.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if line.matches('`').count() % 2 != 0 || line.contains("/*") {
            return Err(
                format!("build.rs cannot take the indents out of this line: {line}").into(),
            );
        }
        out.push_str(line);
        out.push('\n');
    }
    Ok(out)
}

/// The style sheet with each `url(…)` under its name in the binary.
fn referring(css: &str, names: &Names) -> Result<String> {
    let mut parts = css.split("url(");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (target, rest) = part.split_once(')').ok_or("url( without an end")?;
        let source = target.rsplit('/').next().unwrap_or(target);
        let found = names
            .get(source)
            .ok_or_else(|| format!("the style sheet refers to {target}, which is not there"))?;
        write!(out, "url({}){rest}", found.name)?;
    }
    Ok(out)
}

/// A constant for each address, and the table that is served from.
fn table(names: &Names) -> Result<String> {
    let mut rust = String::new();
    for (source, embedded) in names {
        let constant = source.to_uppercase().replace(['.', '-'], "_");
        writeln!(rust, "/// Where `{source}` is served.")?;
        writeln!(
            rust,
            "pub const {constant}: &str = \"/assets/{}\";",
            embedded.name
        )?;
    }
    writeln!(rust, "const TABLE: &[Asset] = &[")?;
    for Embedded {
        name,
        content_type,
        gzip,
    } in names.values()
    {
        writeln!(
            rust,
            "    Asset {{ name: {name:?}, content_type: {content_type:?}, gzip: {gzip} }},"
        )?;
    }
    writeln!(rust, "];")?;
    Ok(rust)
}
