-- One row per published day: what was planned, what it came to, and the difference. Over the Parquet files, with DuckDB.
SELECT case_name, variant, delivery_date, currency,
       MAX(value) FILTER (stage = 'day_ahead') AS day_ahead_cost,
       MAX(value) FILTER (stage = 'real_time') AS real_time_cost,
       MAX(value) FILTER (stage = 'real_time') - MAX(value) FILTER (stage = 'day_ahead') AS difference_cost
FROM costs
WHERE term = 'total'
GROUP BY ALL
ORDER BY ALL
