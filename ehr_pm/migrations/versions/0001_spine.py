"""The spine: message store, versioned record with its change log and search index, persons."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MESSAGES = """
CREATE TABLE message (
    message_id uuid PRIMARY KEY,
    arrival bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    feed text NOT NULL,
    source text NOT NULL,
    location text,
    zone text NOT NULL DEFAULT 'UTC',
    format text NOT NULL,
    kind text NOT NULL,
    control_id text,
    sha256 bytea NOT NULL,
    size integer NOT NULL,
    intake uuid,
    input text,
    position integer NOT NULL DEFAULT 1,
    keys text[] NOT NULL DEFAULT '{}',
    lanes smallint[] NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('received', 'processed', 'filtered', 'rejected')),
    received_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    records integer NOT NULL DEFAULT 1,
    processed integer NOT NULL DEFAULT 0,
    filtered integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    resources integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0,
    mapping_version text,
    shelf text NOT NULL
);
CREATE INDEX message_waiting ON message (arrival) WHERE state = 'received';
CREATE INDEX message_feed ON message (feed, received_at);
CREATE INDEX message_intake ON message (intake) WHERE intake IS NOT NULL;
CREATE INDEX message_control ON message (control_id) WHERE control_id IS NOT NULL;

CREATE TABLE message_key (
    feed text NOT NULL,
    control_id text,
    sha256 bytea NOT NULL,
    message_id uuid NOT NULL,
    UNIQUE NULLS NOT DISTINCT (feed, control_id, sha256)
);

CREATE TABLE message_body (
    shelf text NOT NULL,
    message_id uuid NOT NULL,
    body bytea,
    blob text,
    PRIMARY KEY (shelf, message_id),
    CHECK ((body IS NULL) <> (blob IS NULL))
) PARTITION BY LIST (shelf);
ALTER TABLE message_body ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE reject (
    reject_id uuid PRIMARY KEY,
    message_id uuid,
    intake uuid,
    feed text NOT NULL,
    input text,
    position integer NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    location text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reject_feed ON reject (feed, created_at);
CREATE INDEX reject_message ON reject (message_id);
CREATE INDEX reject_intake ON reject (intake) WHERE intake IS NOT NULL;
"""

ENVELOPE = """
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    version integer NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    location text,
    patient_id uuid,
    sensitivity text,
    event_at timestamptz,
    authority smallint NOT NULL,
    arrival bigint,
    content_sha bytea,
    deleted boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL,
    message_id uuid,
    position integer,
    mapping_version text,
    batch_key bigint NOT NULL,
    ordinal integer NOT NULL
"""

RECORD = f"""
CREATE TABLE resource (
    resource_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    {ENVELOPE},
    UNIQUE (resource_type, resource_id)
);
ALTER TABLE resource SET (fillfactor = 80);
CREATE INDEX resource_patient ON resource (patient_id, resource_type) WHERE patient_id IS NOT NULL;

CREATE TABLE resource_version (
    {ENVELOPE},
    body text NOT NULL,
    PRIMARY KEY (batch_key, ordinal)
);
CREATE UNIQUE INDEX resource_version_history ON resource_version (resource_type, resource_id, version);
CREATE INDEX resource_version_message ON resource_version (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE change_batch (
    batch_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size integer NOT NULL CHECK (size > 0),
    first_seq bigint UNIQUE,
    sealed_at timestamptz
);
CREATE INDEX change_batch_open ON change_batch (batch_key) WHERE first_seq IS NULL;
CREATE TABLE change_head (
    is_head boolean PRIMARY KEY DEFAULT true CHECK (is_head),
    next_seq bigint NOT NULL
);
INSERT INTO change_head (next_seq) VALUES (1);
"""

SEARCH = """
CREATE TABLE search_token (
    resource_type text NOT NULL, param text NOT NULL, code text NOT NULL, system text, resource_key bigint NOT NULL
);
CREATE INDEX search_token_code ON search_token (resource_type, param, code, system, resource_key);
CREATE INDEX search_token_resource ON search_token (resource_key);

CREATE TABLE search_string (
    resource_type text NOT NULL, param text NOT NULL, value text NOT NULL, resource_key bigint NOT NULL
);
CREATE INDEX search_string_value ON search_string (resource_type, param, value text_pattern_ops, resource_key);
CREATE INDEX search_string_resource ON search_string (resource_key);

CREATE TABLE search_date (
    resource_type text NOT NULL, param text NOT NULL,
    starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, resource_key bigint NOT NULL
);
CREATE INDEX search_date_start ON search_date (resource_type, param, starts_at, ends_at, resource_key);
CREATE INDEX search_date_resource ON search_date (resource_key);

CREATE TABLE search_reference (
    resource_type text NOT NULL, param text NOT NULL,
    target_type text NOT NULL, target_id text NOT NULL, resource_key bigint NOT NULL
);
CREATE INDEX search_reference_target ON search_reference (resource_type, param, target_id, resource_key);
CREATE INDEX search_reference_resource ON search_reference (resource_key);
"""

IDENTITY = """
CREATE TABLE person (
    person_id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    merged_into uuid REFERENCES person (person_id)
);
CREATE TABLE person_member (
    patient_id uuid NOT NULL,
    person_id uuid NOT NULL REFERENCES person (person_id),
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz,
    reason text NOT NULL
);
CREATE UNIQUE INDEX person_member_current ON person_member (patient_id) WHERE valid_to IS NULL;
CREATE INDEX person_member_person ON person_member (person_id) WHERE valid_to IS NULL;
CREATE TABLE patient_identifier (
    system text NOT NULL,
    value text NOT NULL,
    patient_id uuid NOT NULL,
    PRIMARY KEY (system, value, patient_id)
);
CREATE INDEX patient_identifier_patient ON patient_identifier (patient_id);
"""


def upgrade() -> None:
    """Create the tables of the spine."""
    for statements in (MESSAGES, RECORD, SEARCH, IDENTITY):
        for statement in statements.split(";"):
            if statement.strip():
                op.execute(statement)
