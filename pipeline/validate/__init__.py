"""The checker: it never saw the model. Published tables and the case in, mistakes and findings out.

A mistake blocks publication (`GateFailed`); a finding is published with the run. What each module covers:

- `contract_gate`    every table against its declaration: columns, types, nulls, ranges, vocabulary, key (`contract_suite`, by Great
  Expectations; `contract_arrays`, by pyarrow and numpy, with the same verdicts).
- `observations_gate` what ingest stored: finite, known series, on the grid, one latest version.
- `identity`         every row: known run, step and instant agree, network and bus and unit belong to the device.
- `inputs`           forecasts, scenarios, scores, prices, commitments, kpis.
- `balances`         per network, carrier and step the injections sum to zero; flows and voltages by tree sweep; ties.
- `devices`, `limits` every device's law and limits, energies step by step.
- `money`            every cost term from quantities and prices; settlement rows; totals.
- `provenance`       what is published against the immutable tables of the runs that wrote it.
- `ac`               AC power flow of every interval (findings).
- `ev`               what fleets drew handed out to realised sessions, as the largest flow (findings).
- `gates`            the entry points.
"""
