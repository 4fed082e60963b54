//! The integration tests, one binary.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod client;
#[cfg(test)]
mod gallery;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod html;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod process;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod supply;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod webdriver;
