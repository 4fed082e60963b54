#![doc = include_str!("../ARCHITECTURE.md")]

pub mod kit;

pub mod domain;

pub mod erasing;
pub mod error;
pub mod routes;
pub mod scope;

pub mod audit;
pub mod backups;
pub mod billing;
pub mod catalogue;
pub mod outbox;
pub mod ownership;
pub mod resources;

pub mod organisations;

pub mod accounts;

pub mod passwords;
pub mod profile;

pub mod selection;
pub mod sessions;
pub mod settings;

pub mod invitations;
pub mod leaving;
pub mod lifecycle;

pub mod setup;

pub mod dashboard;
pub mod help;
pub mod roles;

pub mod app;
pub mod two_factor;
pub mod visit;

pub mod layout;

pub mod error_page;

pub mod dispatch;
pub mod door;

pub mod worker;

pub mod migrations;

pub mod metrics;
pub mod watch;

pub mod config;

pub mod serve;

pub mod demo;

pub mod cli;
