"""The group as it is run: organizations, locations with their hours, rooms, departments, payers; and the outbox."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
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
    # What happened here, for whoever must be told; delivered at least once, in the order of event_id.
    """
    CREATE TABLE outbox_event (
        event_id uuid PRIMARY KEY,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        kind text NOT NULL,
        subject_type text NOT NULL,
        subject_id uuid NOT NULL,
        patient_id uuid,
        location text,
        principal_id uuid,
        delivered_at timestamptz
    )
    """,
    "CREATE INDEX outbox_event_waiting ON outbox_event (event_id) WHERE delivered_at IS NULL",
    f"""
    CREATE TABLE organization (
        organization_id uuid PRIMARY KEY,
        name text NOT NULL CHECK (name <> ''),
        npi text UNIQUE CHECK (npi ~ '^[0-9]{{10}}$'),
        tax_id text CHECK (tax_id ~ '^[0-9]{{9}}$'),
        is_active boolean NOT NULL DEFAULT true,
        {KEPT}
    )
    """,
    f"""
    CREATE TABLE chart_group (
        chart_group_id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE CHECK (name <> ''),
        {KEPT}
    )
    """,
    # `key` is what feeds, the record and the warehouse call it; it never changes.
    f"""
    CREATE TABLE location (
        location_id uuid PRIMARY KEY,
        key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{{0,62}}$'),
        organization_id uuid NOT NULL REFERENCES organization,
        chart_group_id uuid REFERENCES chart_group,
        name text NOT NULL CHECK (name <> ''),
        zone text NOT NULL,
        place_of_service text NOT NULL DEFAULT '11' CHECK (place_of_service ~ '^[0-9]{{2}}$'),
        npi text CHECK (npi ~ '^[0-9]{{10}}$'),
        clia text CHECK (clia ~ '^[0-9]{{2}}D[0-9]{{7}}$'),
        phone text,
        address_line text,
        city text,
        state text,
        postal_code text,
        is_active boolean NOT NULL DEFAULT true,
        {KEPT}
    )
    """,
    """
    CREATE TABLE location_hours (
        location_id uuid NOT NULL REFERENCES location,
        weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
        opens time NOT NULL,
        closes time NOT NULL CHECK (closes > opens),
        PRIMARY KEY (location_id, weekday, opens)
    )
    """,
    f"""
    CREATE TABLE department (
        department_id uuid PRIMARY KEY,
        location_id uuid NOT NULL REFERENCES location,
        name text NOT NULL CHECK (name <> ''),
        is_active boolean NOT NULL DEFAULT true,
        UNIQUE (location_id, name),
        {KEPT}
    )
    """,
    f"""
    CREATE TABLE room (
        room_id uuid PRIMARY KEY,
        location_id uuid NOT NULL REFERENCES location,
        kind text NOT NULL CHECK (kind IN ('room', 'device')),
        name text NOT NULL CHECK (name <> ''),
        capacity smallint NOT NULL DEFAULT 1 CHECK (capacity BETWEEN 1 AND 100),
        is_active boolean NOT NULL DEFAULT true,
        UNIQUE (location_id, name),
        {KEPT}
    )
    """,
    f"""
    CREATE TABLE payer (
        payer_id uuid PRIMARY KEY,
        number text NOT NULL UNIQUE CHECK (number <> ''),
        name text NOT NULL CHECK (name <> ''),
        filing_indicator text NOT NULL CHECK (filing_indicator ~ '^[0-9A-Z]{{1,2}}$'),
        answers_eligibility boolean NOT NULL DEFAULT true,
        takes_claims boolean NOT NULL DEFAULT true,
        sends_remittances boolean NOT NULL DEFAULT true,
        is_active boolean NOT NULL DEFAULT true,
        {KEPT}
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
