"""What is kept: the warehouse (observations, overrides, runs), the lake of immutable tables, the cache of programs."""
