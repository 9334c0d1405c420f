"""What a density is: arrays in, arrays out, no estimator and no iteration.

Arrays of a block of rows are laid out features × rows ("columns"), so that reductions
over features or components run along contiguous memory.
"""
