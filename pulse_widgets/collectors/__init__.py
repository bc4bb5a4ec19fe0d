"""Collectors: what produces rows, each with a status that says how it fares."""
