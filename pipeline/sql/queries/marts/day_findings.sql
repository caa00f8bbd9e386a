-- Findings per published day: how many of each check, and the first of them in words.
SELECT case_name, variant, delivery_date, stage, severity, "check", COUNT(*) AS finding_count,
       arg_min(message, place) AS example, MIN(place) AS first_place
FROM findings
GROUP BY ALL
ORDER BY ALL
