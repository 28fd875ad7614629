"""The schedule: what can be booked and when, appointments, series, the waitlist, reminders.

A booking of a lane of something bookable excludes every other at the same time, in the database itself: no race, no
crash and no second program can book it twice.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
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
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"""
    CREATE TABLE visit_type (
        visit_type_id uuid PRIMARY KEY,
        key text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{{0,62}}$'),
        name text NOT NULL CHECK (name <> ''),
        minutes smallint NOT NULL CHECK (minutes BETWEEN 5 AND 480),
        minutes_before smallint NOT NULL DEFAULT 0 CHECK (minutes_before BETWEEN 0 AND 120),
        minutes_after smallint NOT NULL DEFAULT 0 CHECK (minutes_after BETWEEN 0 AND 120),
        is_telehealth boolean NOT NULL DEFAULT false,
        is_active boolean NOT NULL DEFAULT true,
        {KEPT}
    )
    """,
    # A practitioner at a location, a room or a device. `subject_id` is the FHIR id of what it stands for.
    f"""
    CREATE TABLE bookable (
        bookable_id uuid PRIMARY KEY,
        location_id uuid NOT NULL REFERENCES location,
        kind text NOT NULL CHECK (kind IN ('practitioner', 'room', 'device')),
        subject_id uuid NOT NULL,
        name text NOT NULL CHECK (name <> ''),
        lanes smallint NOT NULL DEFAULT 1 CHECK (lanes BETWEEN 1 AND 100),
        is_active boolean NOT NULL DEFAULT true,
        UNIQUE (location_id, subject_id),
        {KEPT}
    )
    """,
    f"""
    CREATE TABLE schedule_rule (
        rule_id uuid PRIMARY KEY,
        bookable_id uuid NOT NULL REFERENCES bookable,
        weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
        starts time NOT NULL,
        ends time NOT NULL CHECK (ends > starts),
        valid_from date NOT NULL,
        valid_to date CHECK (valid_to >= valid_from),
        every_weeks smallint NOT NULL DEFAULT 1 CHECK (every_weeks BETWEEN 1 AND 8),
        visit_type_ids uuid[],
        {KEPT}
    )
    """,
    "CREATE INDEX schedule_rule_bookable ON schedule_rule (bookable_id)",
    f"""
    CREATE TABLE schedule_exception (
        exception_id uuid PRIMARY KEY,
        bookable_id uuid NOT NULL REFERENCES bookable,
        during tstzrange NOT NULL CHECK (NOT isempty(during)),
        is_open boolean NOT NULL,
        reason text NOT NULL CHECK (reason <> ''),
        {KEPT}
    )
    """,
    "CREATE INDEX schedule_exception_bookable ON schedule_exception USING gist (bookable_id, during)",
    f"""
    CREATE TABLE appointment_series (
        series_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL,
        location_id uuid NOT NULL REFERENCES location,
        visit_type_id uuid NOT NULL REFERENCES visit_type,
        local_start timestamp NOT NULL,
        rrule text NOT NULL,
        {KEPT}
    )
    """,
    f"""
    CREATE TABLE appointment (
        appointment_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL,
        location_id uuid NOT NULL REFERENCES location,
        visit_type_id uuid NOT NULL REFERENCES visit_type,
        status text NOT NULL CHECK (status IN ('hold', 'booked', 'confirmed', 'arrived', 'roomed', 'in_visit',
            'checked_out', 'cancelled', 'noshow', 'rescheduled')),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
        local_start timestamp NOT NULL,
        series_id uuid REFERENCES appointment_series,
        original_start timestamp,
        rescheduled_from uuid REFERENCES appointment,
        held_until timestamptz,
        override_reason text CHECK (override_reason <> ''),
        status_reason text,
        CHECK ((status = 'hold') = (held_until IS NOT NULL)),
        CHECK ((series_id IS NULL) = (original_start IS NULL)),
        UNIQUE (series_id, original_start),
        {KEPT}
    )
    """,
    "CREATE INDEX appointment_day ON appointment (location_id, starts_at)",
    "CREATE INDEX appointment_patient ON appointment (patient_id, starts_at)",
    "CREATE INDEX appointment_held ON appointment (held_until) WHERE held_until IS NOT NULL",
    # One row for each of what an appointment takes: practitioner, room, device, and the patient's own time.
    # An override takes a lane above the capacity, so that it is seen, and cannot be overridden twice by accident.
    """
    CREATE TABLE resource_booking (
        appointment_id uuid NOT NULL REFERENCES appointment,
        taken_id uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('practitioner', 'room', 'device', 'patient')),
        lane smallint NOT NULL CHECK (lane >= 1),
        during tstzrange NOT NULL CHECK (NOT isempty(during)),
        is_blocking boolean NOT NULL DEFAULT true,
        PRIMARY KEY (appointment_id, taken_id),
        CONSTRAINT nothing_is_booked_twice
            EXCLUDE USING gist (taken_id WITH =, lane WITH =, during WITH &&) WHERE (is_blocking)
    )
    """,
    """
    CREATE TABLE appointment_status_event (
        appointment_id uuid NOT NULL REFERENCES appointment,
        number smallint NOT NULL,
        status text NOT NULL,
        reason text,
        recorded_at timestamptz NOT NULL,
        principal_id uuid,
        PRIMARY KEY (appointment_id, number)
    )
    """,
    f"""
    CREATE TABLE waitlist_entry (
        entry_id uuid PRIMARY KEY,
        patient_id uuid NOT NULL,
        location_id uuid NOT NULL REFERENCES location,
        visit_type_id uuid NOT NULL REFERENCES visit_type,
        bookable_id uuid REFERENCES bookable,
        not_before date NOT NULL,
        not_after date NOT NULL CHECK (not_after >= not_before),
        priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),
        state text NOT NULL CHECK (state IN ('waiting', 'filled', 'withdrawn')),
        appointment_id uuid REFERENCES appointment,
        CHECK ((state = 'filled') = (appointment_id IS NOT NULL)),
        {KEPT}
    )
    """,
    "CREATE INDEX waitlist_waiting ON waitlist_entry (location_id, priority, created_at) WHERE state = 'waiting'",
    """
    CREATE TABLE reminder (
        reminder_id uuid PRIMARY KEY,
        appointment_id uuid NOT NULL REFERENCES appointment,
        due_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'cancelled')),
        attempts smallint NOT NULL DEFAULT 0,
        sent_at timestamptz,
        UNIQUE (appointment_id, due_at)
    )
    """,
    "CREATE INDEX reminder_due ON reminder (due_at) WHERE state = 'queued'",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
