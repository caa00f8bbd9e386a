-- The state of the plant as it was measured: energies, units on or off, powers. A correction or withdrawal is one more version.

CREATE TABLE IF NOT EXISTS measured_states (
    namespace   TEXT             NOT NULL,       -- the case
    device      TEXT             NOT NULL,       -- device or tie
    quantity    TEXT             NOT NULL,       -- as in the table `states`, with its unit
    measured_at BIGINT           NOT NULL,
    value       DOUBLE PRECISION NOT NULL,
    author      TEXT             NOT NULL,       -- a person, or the source of the case
    known_at    BIGINT           NOT NULL,
    withdrawn   SMALLINT         NOT NULL CHECK (withdrawn IN (0, 1)),
    entry       BIGINT           NOT NULL,
    ingest_seq  BIGINT           NOT NULL DEFAULT 0, -- import that brought it
    PRIMARY KEY (namespace, device, quantity, measured_at, known_at, entry)
);
CREATE INDEX IF NOT EXISTS measured_states_by_time ON measured_states (namespace, measured_at);
