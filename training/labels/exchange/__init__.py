"""Labels on their way to other programs and back: one module for each format.

Each module has `write(rows, path, taxonomy)` and `read(path)`; what the rows hold is in `rows`.
"""
