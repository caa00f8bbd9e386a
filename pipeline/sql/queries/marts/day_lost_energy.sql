-- Energy that was not served, thrown away or not taken, per published day and device, as it came.
SELECT case_name, variant, delivery_date, network, device, quantity, SUM(value) * 0.25 AS energy_kwh
FROM dispatch
WHERE scenario = 'settled' AND (quantity LIKE 'shed_%' OR quantity LIKE 'dump_%' OR quantity LIKE 'curtailed_%' OR quantity LIKE 'vent_%')
GROUP BY ALL
HAVING SUM(value) > 1e-6
ORDER BY ALL
