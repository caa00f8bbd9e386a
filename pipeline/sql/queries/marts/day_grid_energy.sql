-- One row per published day and tie: energy bought and sold, at which mean price, and what deviating from the schedule cost.
WITH quarters AS (SELECT *, realised_kw * 0.25 AS energy_kwh FROM settlement)
SELECT case_name, variant, delivery_date, tie,
       SUM(greatest(energy_kwh, 0)) AS bought_kwh,
       SUM(greatest(-energy_kwh, 0)) AS sold_kwh,
       SUM(abs(realised_kw - scheduled_kw)) * 0.25 AS deviation_kwh,
       SUM(energy_cost) AS energy_cost,
       SUM(deviation_cost) AS deviation_cost,
       AVG(price_per_kwh) AS mean_price_per_kwh,
       COUNT(*) FILTER (NOT settled) AS provisional_count
FROM quarters
GROUP BY ALL
ORDER BY ALL
