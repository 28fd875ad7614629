"""Ways to come in: staff by their organisation's log-in, patients by invitation, programs by several named tokens."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009a"
branch_labels = None
depends_on = None

KEPT = """
    created_at timestamptz NOT NULL,
    created_by uuid,
    changed_at timestamptz NOT NULL,
    changed_by uuid,
    version bigint NOT NULL
"""

STATEMENTS = (
    # Who an OpenID provider says somebody is, and whom that is here; linked by an administrator, never by itself.
    f"""
    CREATE TABLE outside_identity (
        identity_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal,
        issuer text NOT NULL CHECK (issuer <> ''),
        claim text NOT NULL CHECK (claim IN ('sub', 'email', 'preferred_username')),
        value text NOT NULL CHECK (value <> ''),
        ended_at timestamptz,
        {KEPT}
    )
    """,
    "CREATE UNIQUE INDEX outside_identity_one ON outside_identity (issuer, claim, value) WHERE ended_at IS NULL",
    "CREATE INDEX outside_identity_principal ON outside_identity (principal_id)",
    # A log-in on its way to the provider and back: good once, for the browser that began it, for a few minutes.
    """
    CREATE TABLE outside_login (
        state_sha bytea PRIMARY KEY,
        browser_sha bytea NOT NULL,
        nonce text NOT NULL,
        verifier text NOT NULL,
        destination text NOT NULL,
        began_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX outside_login_time ON outside_login (began_at)",
    # Which identity a session stands on, so that the provider, or an end of the link, can end it.
    """
    ALTER TABLE browser_session
        ADD COLUMN identity_id uuid REFERENCES outside_identity,
        ADD COLUMN outside_subject text,
        ADD COLUMN outside_session text
    """,
    "CREATE INDEX browser_session_identity ON browser_session (identity_id) WHERE identity_id IS NOT NULL",
    """
    ALTER TABLE access_token
        ADD COLUMN name text NOT NULL DEFAULT 'first' CHECK (name <> ''),
        ADD COLUMN actions text[] CHECK (cardinality(actions) > 0),
        ADD COLUMN last_used_at timestamptz
    """,
    # Portals show patients of the practice, so a merge moves them along; others see them as long as consent stands.
    """
    ALTER TABLE portal_link
        ADD COLUMN consent_id uuid REFERENCES consent,
        ADD FOREIGN KEY (patient_id) REFERENCES patient
    """,
    "CREATE INDEX portal_link_patient ON portal_link (patient_id)",
    "ALTER TABLE consent DROP CONSTRAINT consent_kind_check",
    """
    ALTER TABLE consent ADD CONSTRAINT consent_kind_check CHECK (kind IN ('treatment', 'privacy-notice',
        'assignment-of-benefits', 'exchange', 'text-messages', 'part2-disclosure', 'portal-access'))
    """,
    # A code that lets somebody choose the password of a portal account, once; only its hash is kept.
    f"""
    CREATE TABLE portal_invitation (
        invitation_id uuid PRIMARY KEY,
        principal_id uuid NOT NULL REFERENCES principal,
        code_sha bytea NOT NULL UNIQUE,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        revoked_at timestamptz,
        {KEPT}
    )
    """,
    "CREATE INDEX portal_invitation_principal ON portal_invitation (principal_id)",
)


def upgrade() -> None:
    """Create the tables, and widen those that are there."""
    for statement in STATEMENTS:
        op.execute(statement)
