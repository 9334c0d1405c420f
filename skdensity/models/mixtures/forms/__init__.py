"""How a block of rows is evaluated, each way fast or right somewhere."""
