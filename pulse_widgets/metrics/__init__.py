"""The vocabulary: metric names, units, entities and rates. Knows no hardware, disk or Jupyter."""
