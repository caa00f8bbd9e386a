-- What was known of one series at a moment: the last version of every interval. For a person at a SQL shell, on SQLite and PostgreSQL.
-- Give the case as namespace, one of its series, and start, end and as_of in UTC epoch seconds.
SELECT valid_from, value, quality, known_at
FROM (
    SELECT o.valid_from, o.value, o.quality, o.known_at,
           ROW_NUMBER() OVER (PARTITION BY o.valid_from ORDER BY o.known_at DESC, o.ingest_seq DESC) AS age
    FROM observations o
    JOIN series s ON s.series_id = o.series_id
    WHERE s.namespace = :namespace AND s.series = :series
      AND o.valid_from >= :start AND o.valid_from < :end AND o.known_at <= :as_of
) AS versions
WHERE age = 1 AND quality < 16384  -- from there on: an interval whose import was withdrawn has no value
ORDER BY valid_from
