-- Intervals whose value changed after it was first known: what a late correction did.
-- Give the case as namespace, and start and end in UTC epoch seconds.
SELECT s.series, o.valid_from, COUNT(*) AS version_count, MIN(o.known_at) AS first_known_at, MAX(o.known_at) AS last_known_at,
       MAX(o.value) - MIN(o.value) AS spread
FROM observations o
JOIN series s ON s.series_id = o.series_id
WHERE s.namespace = :namespace AND o.valid_from >= :start AND o.valid_from < :end
GROUP BY s.series, o.valid_from
HAVING COUNT(*) > 1
ORDER BY s.series, o.valid_from
