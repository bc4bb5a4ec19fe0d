"""Plotly figures of a recording; Plotly itself is imported when one is asked for."""
