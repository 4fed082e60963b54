//! The pages of the roles.

use doorward::domain::role::Role;

use crate::portal::Portal;

#[test]
fn the_roles_are_the_documents() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.member(Role::Billing, "bo@fjord.example");
    portal.invite(&owner, Role::Billing, "bea@fjord.example");
    owner
        .get("/iam/roles")
        .answers(200)
        .sees("Accounts 3 Roles 4")
        .sees("Member Read-only access to resources (get resources) Interns, read-only users 1 0")
        .sees("Billing Manage billing + read resources Accounting, finance 2 2")
        .sees("Admin Manage resources + billing + users DevOps lead 7 0")
        .sees("Master Full access: resources, billing, users Account owner, CTO 9 1")
        .sees("The four roles are built in and cannot be edited.");
    assert!(owner.html().contains("href=\"/iam/accounts?role=billing\""));
    assert!(
        owner
            .html()
            .contains("href=\"/help/sub-account-permissions\"")
    );
}

#[test]
fn the_matrix_is_the_contracts() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    owner.get("/iam/roles/admin").answers(200);
    let page = owner.html();
    let (_, marked) = page.split_once("aria-current=\"true\">").unwrap();
    assert!(marked.starts_with("Admin</th>"), "{marked}");
    for line in [
        "Resources Get resources resources.read Yes Yes Yes Yes",
        "Manage resources resources.manage – No – No Yes Yes",
        "Billing Manage billing billing.manage – No Yes Yes Yes",
        "Users List users users.list – No – No Yes Yes",
        "Get user users.read – No – No Yes Yes",
        "Manage users (invite, disable, delete) users.manage – No – No Yes Yes",
        "Change role roles.assign – No – No Yes Yes",
        "Organisation Read the audit log audit.read – No – No – No Yes",
        "Manage the organisation (settings, security policy, ownership) organisation.manage – No – No – No Yes",
    ] {
        owner.sees(line);
    }
}

#[test]
fn a_role_shows_who_has_it_in_this_organisation_alone() {
    let portal = Portal::start();
    let mut owner = portal.owner();
    portal.organisation("Lakeside");
    owner
        .get("/iam/roles/master")
        .answers(200)
        .sees("Olivia Berg")
        .sees_not("Otto Lund");
    owner.get("/iam/roles/member").sees("Nobody has this role.");
    for number in 1..=12 {
        portal.invite(&owner, Role::Member, &format!("m{number}@fjord.example"));
    }
    owner
        .get("/iam/roles/member")
        .sees("All 12 accounts with this role")
        .sees("Pending");
    owner.get("/iam/roles/owner").answers(404);
    owner.get("/iam/roles/Admin").answers(404);
}
