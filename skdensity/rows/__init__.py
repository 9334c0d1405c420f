"""What a table of rows is: how it is walked through, which rows are equal, and why.

Everything above asks rows, and does not see what kind they are.
"""
