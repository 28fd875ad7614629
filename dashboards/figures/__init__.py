"""The figures of each page: questions to the marts that aggregate, limited by the chosen filters.

Every question holds for all filters at once (`$name IS NULL OR ...`), so that none is put together from pieces.
"""
