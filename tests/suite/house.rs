//! The harness itself: what `Portal` and `Visitor` promise to the other tests.

use std::panic::{AssertUnwindSafe, catch_unwind};

use doorward::domain::role::Role;
use doorward::kit::mail::Failure;

use crate::portal::{OWNER, PASSWORD, Portal};

#[test]
fn an_owner_is_signed_in_through_the_door() {
    let portal = Portal::start();
    let owner = portal.owner();
    assert!(owner.is_signed_in());
    assert_eq!(owner.email, OWNER);
    assert_eq!(owner.account().role, Role::Master);
    assert_eq!(portal.audit(Some(portal.first())).len(), 2);
}
