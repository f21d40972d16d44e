-- Where single rows stand in a person's own order, and which of a person's own
-- predicates hold for each.
-- Parameters: for each id column an array of its type with all ids.
-- Placeholders: place, holds, table, alias, asked. Locks: ACCESS SHARE.
SELECT twinrow_asked.twinrow_number, {place}{holds}
FROM {table} AS {alias}
JOIN {asked}
