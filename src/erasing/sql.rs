//! The statements of erasing.

use crate::audit::Names;
use crate::domain::id::{AccountId, OrganisationId};
use crate::kit::db::{Result, Tx};

/// In lists of people who were invited together nothing of them is left, nor from where they gave one.
pub(super) fn forget_imports(
    tx: &Tx<'_>,
    organisation: OrganisationId,
    account: AccountId,
    names: &Names,
) -> Result<()> {
    tx.execute(
        "UPDATE imports SET address = NULL WHERE given_by = ?1 AND organisation_id = ?2",
        (account, organisation),
    )?;
    tx.execute(
        "UPDATE import_lines SET email = '', name = '', phone = '', why = CASE WHEN why IS NULL THEN NULL ELSE 'Erased.' END
          WHERE account_id = ?1",
        [account],
    )?;
    for name in names.iter() {
        tx.execute(
            "UPDATE import_lines SET email = '', name = '', phone = '',
                why = CASE WHEN why IS NULL THEN NULL ELSE 'Erased.' END
              WHERE import_id IN (SELECT id FROM imports WHERE organisation_id = ?1)
                AND (account_id IS NULL OR account_id = ?2)
                AND (lower(email) = ?3 OR lower(name) = ?3 OR phone = ?3)",
            (organisation, account, name),
        )?;
    }
    Ok(())
}
