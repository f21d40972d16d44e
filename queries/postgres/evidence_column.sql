-- One column of the rows in a stretch of blocks that the predicate holds for,
-- as it prints.
-- Placeholders: table, only, alias, column, stretch, where. Locks: ACCESS SHARE.
SELECT {alias}.{column} FROM {only}{table} AS {alias} WHERE {stretch} AND {where}
