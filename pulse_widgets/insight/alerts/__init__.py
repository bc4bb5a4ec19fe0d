"""Conditions that a user sets an alert on: their text, and of what they are true."""
