"""The border to Arrow and Parquet: no other part of the package imports pyarrow.

What goes in and comes out are numpy arrays, `Packed` texts and payloads, and plain values.
"""
