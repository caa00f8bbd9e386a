-- A person's word: device out, fixed set-point, limit. A withdrawal is one more version, with its own author and reason.

CREATE TABLE IF NOT EXISTS overrides (
    override_id TEXT             NOT NULL,
    namespace   TEXT             NOT NULL,
    target      TEXT             NOT NULL,       -- device, tie or fleet
    quantity    TEXT             NOT NULL CHECK (quantity IN ('out', 'set_point_kw', 'limit_low_kw', 'limit_high_kw')),
    value       DOUBLE PRECISION NOT NULL,
    valid_from  BIGINT           NOT NULL,
    valid_to    BIGINT           NOT NULL CHECK (valid_to > valid_from),
    author      TEXT             NOT NULL,
    reason      TEXT             NOT NULL,
    known_at    BIGINT           NOT NULL,
    withdrawn   SMALLINT         NOT NULL CHECK (withdrawn IN (0, 1)),
    entry       BIGINT           NOT NULL,
    PRIMARY KEY (override_id, known_at, entry)
);
CREATE INDEX IF NOT EXISTS overrides_by_time ON overrides (namespace, valid_from);
