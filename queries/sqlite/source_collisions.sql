-- How many keys of a unique index of a child several rows would have, and how
-- many rows would be too many, if all that refers to a group of rows referred
-- to one of them.
-- Parameters: ?1 a JSON array of pairs, group number and what names a row.
-- Slots: {table}, {place} (what names a row t), {child}, {on}, {rest} (what the
-- key holds beside the columns that refer, of c) and {known}. Locks: a read
-- lock, as any SELECT.
WITH g AS MATERIALIZED (SELECT value ->> 0 AS group_no, value ->> 1 AS place FROM json_each(?1))
SELECT d.group_no, count(*), sum(d.rows - 1)
FROM (
    SELECT g.group_no, count(*) AS rows
    FROM g
    JOIN {table} AS t ON {place} = g.place
    JOIN {child} AS c ON {on}
    WHERE {known}
    GROUP BY g.group_no, {rest}
    HAVING count(*) > 1
) AS d
GROUP BY d.group_no
