-- One column of every row that the predicate holds for, as it prints.
-- Placeholders: table, alias, column, where. Locks: ACCESS SHARE.
SELECT {alias}.{column} FROM {table} AS {alias} WHERE {where}
