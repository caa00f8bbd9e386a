-- Runs, and what is published. Timings and wall-clock times live here and in no published table.

CREATE TABLE IF NOT EXISTS runs (
    run_id        TEXT   NOT NULL PRIMARY KEY,
    product       TEXT   NOT NULL,
    case_name     TEXT   NOT NULL,
    variant       TEXT   NOT NULL,
    method        TEXT   NOT NULL,
    delivery_date TEXT   NOT NULL,               -- ISO date
    issued_at     BIGINT NOT NULL,
    as_of         BIGINT NOT NULL,
    parents       TEXT   NOT NULL,               -- JSON list of run ids
    parameters    TEXT   NOT NULL,               -- JSON
    status        TEXT   NOT NULL,
    seconds       DOUBLE PRECISION,
    objective     DOUBLE PRECISION,
    gap           DOUBLE PRECISION,
    timings       TEXT   NOT NULL,               -- JSON, seconds by stage
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT
);
CREATE INDEX IF NOT EXISTS runs_by_day ON runs (case_name, product, variant, delivery_date);

CREATE TABLE IF NOT EXISTS publications (
    publication   BIGINT NOT NULL PRIMARY KEY,   -- order of publication; the highest of a day and product is current
    case_name     TEXT   NOT NULL,
    product       TEXT   NOT NULL,
    variant       TEXT   NOT NULL,               -- `<variant>~<method>` when the method is not the variant's own
    delivery_date TEXT   NOT NULL,
    run_id        TEXT   NOT NULL REFERENCES runs (run_id),
    issued_at     BIGINT NOT NULL,
    replaced      SMALLINT NOT NULL,             -- 1 when replacement of a newer one was asked for
    published_at  BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS publications_by_day ON publications (case_name, variant, delivery_date, product, publication);

CREATE TABLE IF NOT EXISTS published_files (
    path          TEXT   NOT NULL PRIMARY KEY,   -- relative to the home folder
    case_name     TEXT   NOT NULL,
    variant       TEXT   NOT NULL,
    delivery_date TEXT   NOT NULL,
    table_name    TEXT   NOT NULL,
    sha256        TEXT   NOT NULL,
    row_count     BIGINT NOT NULL,
    publication   BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS published_files_by_day ON published_files (case_name, variant, delivery_date);
