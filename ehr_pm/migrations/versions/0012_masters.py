"""Who is master of what: rows that a feed's source keeps, how far they are received, findings, announcements sent."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Null is us; otherwise the source of a feed, whose resources are the record of these rows.
    """
    ALTER TABLE location
        ADD patients_from text CHECK (patients_from NOT IN ('', 'wholechart')),
        ADD schedule_from text CHECK (schedule_from NOT IN ('', 'wholechart')),
        ADD flow_is_ours boolean NOT NULL DEFAULT false
    """,
    """
    ALTER TABLE patient ADD received_from text, ADD received_version integer,
        ADD CHECK ((received_from IS NULL) = (received_version IS NULL))
    """,
    """
    ALTER TABLE appointment ADD received_from text, ADD received_version integer,
        ADD CHECK ((received_from IS NULL) = (received_version IS NULL))
    """,
    "ALTER TABLE patient_merge ADD received_from text",
    # Who is merged into whom, as resources of feeds say it; they may say so before we know the patients.
    """
    CREATE TABLE said_merge (
        resource_type text NOT NULL,
        resource_id uuid NOT NULL,
        source text NOT NULL,
        survivor_id uuid NOT NULL,
        merged_id uuid NOT NULL,
        PRIMARY KEY (resource_type, resource_id, survivor_id, merged_id)
    )
    """,
    "CREATE INDEX said_merge_survivor ON said_merge (survivor_id)",
    "CREATE INDEX said_merge_merged ON said_merge (merged_id)",
    # How far a reader of the change log has come.
    "CREATE TABLE change_reader (name text PRIMARY KEY, seq bigint NOT NULL)",
    # A source that has just become master somewhere: what it said before is read from here on.
    """
    CREATE TABLE catching_up (
        location_id uuid NOT NULL REFERENCES location,
        source text NOT NULL,
        resource_key bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (location_id, source)
    )
    """,
    # What does not fit together, until it does. Names things by their ids, never by patients' data.
    """
    CREATE TABLE finding (
        finding_id uuid PRIMARY KEY,
        check_name text NOT NULL,
        subject_type text NOT NULL,
        subject_id uuid NOT NULL,
        source text,
        location text,
        found_at timestamptz NOT NULL,
        settled_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX finding_open ON finding (check_name, subject_type, subject_id) WHERE settled_at IS NULL",
    # Announcements: tried again later and later, then put aside for a person.
    """
    ALTER TABLE outbox_event
        ADD attempts smallint NOT NULL DEFAULT 0,
        ADD due_at timestamptz NOT NULL DEFAULT '-infinity',
        ADD put_aside_at timestamptz,
        ADD problem text
    """,
    "DROP INDEX outbox_event_waiting",
    "CREATE INDEX outbox_event_waiting ON outbox_event (event_id) WHERE delivered_at IS NULL AND put_aside_at IS NULL",
)


def upgrade() -> None:
    """Alter and create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
