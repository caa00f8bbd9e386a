"""Decisions: day-ahead, real time and settlement, on numbers only. Nothing here reads a store or a clock."""
