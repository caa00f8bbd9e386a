-- Histories and EV sessions, bitemporal: a version is appended, never overwritten.
-- Instants are UTC epoch seconds. Runs on SQLite and PostgreSQL; the loader turns the comment "clustered" into WITHOUT ROWID
-- on SQLite, so that a series' rows lie side by side on disk in the order in which they are read.

CREATE TABLE IF NOT EXISTS series (
    series_id    INTEGER NOT NULL PRIMARY KEY,
    namespace    TEXT    NOT NULL,              -- the case
    series       TEXT    NOT NULL,
    resolution_s INTEGER NOT NULL,              -- length of the interval that one value holds for
    UNIQUE (namespace, series)
);

CREATE TABLE IF NOT EXISTS ingests (
    ingest_seq     BIGINT  NOT NULL PRIMARY KEY, -- order in which the warehouse learnt things
    namespace      TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    ingested_at    BIGINT  NOT NULL,
    rows_added     BIGINT  NOT NULL,
    versions_added BIGINT  NOT NULL,
    unchanged      BIGINT  NOT NULL
);

CREATE TABLE IF NOT EXISTS ingested_files (
    namespace   TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    sha256      TEXT   NOT NULL,                 -- content, so that a renamed copy is not read again
    path        TEXT   NOT NULL,
    ingest_seq  BIGINT NOT NULL REFERENCES ingests (ingest_seq),
    PRIMARY KEY (namespace, source, sha256)
);

CREATE TABLE IF NOT EXISTS seen_files (          -- of drop folders: what is as it was is not opened again
    namespace   TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    path        TEXT   NOT NULL,
    size_bytes  BIGINT NOT NULL,
    mtime_ns    BIGINT NOT NULL,
    mapping     TEXT   NOT NULL,                 -- hash of how it was read
    sha256      TEXT   NOT NULL,                 -- content, as in ingested_files
    PRIMARY KEY (namespace, source, path)
);

CREATE TABLE IF NOT EXISTS observations (
    series_id  INTEGER          NOT NULL REFERENCES series (series_id),
    valid_from BIGINT           NOT NULL,
    known_at   BIGINT           NOT NULL,
    ingest_seq BIGINT           NOT NULL,
    value      DOUBLE PRECISION NOT NULL,
    quality    SMALLINT         NOT NULL,
    PRIMARY KEY (series_id, valid_from, known_at, ingest_seq)
) /* clustered */;

CREATE TABLE IF NOT EXISTS counter_spans (       -- of each import of a meter's counter: the next file goes on there
    namespace   TEXT             NOT NULL,
    source      TEXT             NOT NULL,
    series      TEXT             NOT NULL,
    first_at    BIGINT           NOT NULL,
    first_count DOUBLE PRECISION NOT NULL,       -- as the source has it
    last_at     BIGINT           NOT NULL,
    last_count  DOUBLE PRECISION NOT NULL,
    factor      DOUBLE PRECISION NOT NULL,       -- from there to the unit of the series times hours
    said_at     BIGINT           NOT NULL,       -- when it was known as the source says; 0 where it says nothing
    ingest_seq  BIGINT           NOT NULL,
    PRIMARY KEY (namespace, source, series, last_at, first_at, ingest_seq)
) /* clustered */;

CREATE TABLE IF NOT EXISTS sessions (
    namespace  TEXT             NOT NULL,
    fleet      TEXT             NOT NULL,
    session    TEXT             NOT NULL,
    arrival    BIGINT           NOT NULL,
    departure  BIGINT           NOT NULL,
    need_kwh   DOUBLE PRECISION NOT NULL,        -- stored energy wanted
    charger_kw DOUBLE PRECISION NOT NULL,
    known_at   BIGINT           NOT NULL,
    ingest_seq BIGINT           NOT NULL,
    withdrawn  SMALLINT         NOT NULL DEFAULT 0, -- 1: from known_at on the session is not there
    PRIMARY KEY (namespace, fleet, session, known_at, ingest_seq)
);
CREATE INDEX IF NOT EXISTS sessions_by_arrival ON sessions (namespace, fleet, arrival);
CREATE INDEX IF NOT EXISTS sessions_by_stay ON sessions (namespace, fleet, departure, arrival, session); -- those of a window, in one look
