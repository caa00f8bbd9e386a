-- Lowest and highest voltage of each network per published day: decided, and by AC power flow.
SELECT case_name, variant, delivery_date, stage, network,
       MIN(voltage_pu) AS lowest_voltage_pu, arg_min(bus, voltage_pu) AS lowest_bus,
       MAX(voltage_pu) AS highest_voltage_pu, arg_max(bus, voltage_pu) AS highest_bus,
       MIN(voltage_ac_pu) AS lowest_voltage_ac_pu, MAX(voltage_ac_pu) AS highest_voltage_ac_pu,
       MAX(abs(voltage_pu - voltage_ac_pu)) AS largest_gap_pu
FROM bus_state
GROUP BY ALL
ORDER BY ALL
