-- How many keys of a unique index of a child several rows would have, and how
-- many rows would be too many, if all that refers to a group of rows referred
-- to one of them.
-- Parameters: ?1 a JSON array of pairs, group number and rowid. Slots:
-- {table}, {rowid}, {child}, {on}, {rest} (what the key holds beside the
-- columns that refer, of c) and {known}. Locks: a read lock, as any SELECT.
SELECT d.group_no, count(*), sum(d.rows - 1)
FROM (
    SELECT g.value ->> 0 AS group_no, count(*) AS rows
    FROM json_each(?1) AS g
    JOIN {table} AS t ON t.{rowid} = g.value ->> 1
    JOIN {child} AS c ON {on}
    WHERE {known}
    GROUP BY g.value ->> 0, {rest}
    HAVING count(*) > 1
) AS d
GROUP BY d.group_no
