//! The integration tests, one binary.

#[cfg(test)]
mod access;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod accounts_list;
#[cfg(test)]
mod answer;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod banner;
#[cfg(test)]
mod billing_pages;
#[cfg(test)]
mod bills;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod client;
#[cfg(test)]
mod command;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod departures;
#[cfg(test)]
mod dns;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod enrolling;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod error_pages;
#[cfg(test)]
mod factor_mails;
#[cfg(test)]
mod factor_resets;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod first_run;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod gallery;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod half;
#[cfg(test)]
mod health;
#[cfg(test)]
mod healthcheck;
#[cfg(test)]
mod host;
#[cfg(test)]
mod house;
#[cfg(test)]
mod html;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod letter;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod link_people;
#[cfg(test)]
mod links;
#[cfg(test)]
mod litestream;
#[cfg(test)]
mod log;
#[cfg(test)]
mod logging;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod mail_addresses;
#[cfg(test)]
mod mail_command;
#[cfg(test)]
mod mail_kinds;
#[cfg(test)]
mod mail_page;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod name_server;
#[cfg(test)]
mod new_key;
#[cfg(test)]
mod new_passwords;
#[cfg(test)]
mod oathtool;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod organisations;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod ownership;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod policy_form;
#[cfg(test)]
mod portal;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod process;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod races;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod reminders;
#[cfg(test)]
mod resets;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod second_step;
#[cfg(test)]
mod security_mails;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod served;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod settings_of_host;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod step_up;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod supply;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod told_events;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod two_factor;
#[cfg(test)]
mod unit;
#[cfg(test)]
mod visitor;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod wares;
#[cfg(test)]
mod webdriver;
