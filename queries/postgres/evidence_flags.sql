-- For each row version in some blocks of one heap its line, its transaction
-- and whether it came of an UPDATE (HEAP_UPDATED, 0x2000, in htup_details.h).
-- Parameters: $1 block numbers, $2 the heap's name.
-- Placeholders: schema, of pageinspect; number, the type of its block numbers. Locks: ACCESS SHARE; a block at a time.
SELECT b.block, i.lp, i.t_xmin, (i.t_infomask & 8192) <> 0
FROM pg_catalog.unnest($1::bigint[]) AS b(block)
CROSS JOIN LATERAL {schema}.heap_page_items({schema}.get_raw_page($2::text, 'main', b.block::{number})) AS i
WHERE i.t_xmin IS NOT NULL
