"""What users pass as X: arrays, blocks, collections; each kind is an object.

`table_of` in `kinds.py` looks the kind up, once, by the type of X. From then on nobody
asks what X is: a fit asks its table for rows, an evaluation for values.
"""
