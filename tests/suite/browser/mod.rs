//! What only a real browser can show: Chromium, driven by [`crate::webdriver`]. Every
//! test here opens a browser under its own name.

mod audit;
mod authenticator;
mod bare;
mod billing;
mod deeds;
mod home;
mod imports;
mod keyboard;
mod leaving;
mod looker;
mod mail;
mod resources;
mod seed;
mod steps;
mod story;
mod strangers;
mod tools;
mod tour;
mod two_factor;
mod two_factor_tour;
mod two_factor_ways;
mod weight;
